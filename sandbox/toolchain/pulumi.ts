import { readFile, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { answerOf, answersAsPlugin } from './answer.ts';
import { run, SourceError } from './command.ts';
import { goBuild, goModule } from './go.ts';
import type { Asking, Work } from './tool.ts';

export const providerVersion = '4.25.0';
const providerModule = 'github.com/pulumi/pulumi-kubernetes/provider/v4';

/**
 * For the Pulumi CLI when it is only asked something. It begins a log of every call in its home, ~/.pulumi where it is told of none, and does without
 * where it cannot; nor need it look for a newer one of itself.
 */
export const homeless = { PULUMI_HOME: devNull, PULUMI_SKIP_UPDATE_CHECK: 'true' };

/** The engine's version, after both plugins answered, too. */
export async function askPulumi(home: string, asking: Asking): Promise<string> {
  const bin = join(home, 'bin');
  const version = await answerOf(join(bin, 'pulumi'), ['version'], /^v?(\S+)/, { signal: asking.signal, env: homeless });
  await answersAsPlugin(join(bin, 'pulumi-language-nodejs'), asking);
  const found = await pluginVersion(join(bin, 'pulumi'), join(bin, 'pulumi-resource-kubernetes'), asking);
  if (found !== providerVersion) throw new SourceError(`pulumi-resource-kubernetes answers version ${found}, not ${providerVersion}`);
  return version;
}

/** The version of a plugin that is a tool of its own, after it answered the engine. */
export async function askPlugin(plugin: string, asking: Asking): Promise<string> {
  return pluginVersion(join(await asking.homeOf('pulumi'), 'bin/pulumi'), plugin, asking);
}

/** It stands in the schema, which is all that every plugin can be asked for. */
async function pluginVersion(pulumi: string, plugin: string, asking: Pick<Asking, 'signal'>): Promise<string> {
  const schema = await run(pulumi, ['package', 'get-schema', plugin], { signal: asking.signal, env: homeless });
  return String((JSON.parse(schema) as { version?: string }).version);
}

/** Compiles the engine, the language host for Node and the Kubernetes provider into bin/. */
export async function buildPulumi(version: string, work: Work): Promise<void> {
  await goBuild({
    module: 'pulumi-language-nodejs',
    packages: { 'github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs': 'bin/pulumi-language-nodejs' },
  }, work);
  await goBuild({
    module: 'pulumi',
    packages: { 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi': 'bin/pulumi' },
    variables: { 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version': `v${version}` },
  }, work);
  await buildProvider(work);
}

async function buildProvider(work: Work): Promise<void> {
  const data = join(await goModule('pulumi-resource-kubernetes', providerModule, work), 'cmd/pulumi-resource-kubernetes');
  // As its makers do it: the module's schema is of every version, the embedded one names its own.
  const schema = join(work.scratch, 'schema.json');
  const content = JSON.parse(await readFile(join(data, 'schema.json'), 'utf8')) as object;
  await writeFile(schema, JSON.stringify({ ...content, version: providerVersion }));
  await goBuild({
    module: 'pulumi-resource-kubernetes',
    packages: { '.': 'bin/pulumi-resource-kubernetes' },
    overlay: { 'schema.json': schema, 'terraform-mapping.json': join(data, 'terraform-mapping.json') },
  }, work);
}
