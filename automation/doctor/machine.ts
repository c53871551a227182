import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { devNull, homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { execa } from 'execa';

import { shellWord } from '../../config/shell-word.ts';
import { compareVersions } from '../../config/versions.ts';
import { firstLineOf } from '../../errors.ts';
import { ownHome, ownState } from '../backend.ts';
import type { EnvironmentOptions } from '../options.ts';
import { located, readSettings } from '../options.ts';
import { variable } from '../variable.ts';
import { Check, type Finding } from './finding.ts';
import { findProgram } from './programs.ts';

const subject = 'this machine';
const require = createRequire(import.meta.url);

/**
 * Whether this machine has what runs the program.
 * @param packages Pulumi packages that the program uses: `kubernetes`
 */
export async function judgeMachine(environment: EnvironmentOptions, packages: readonly string[]): Promise<Finding[]> {
  const path = [...environment.pulumiBin === undefined ? [] : [environment.pulumiBin], ...environment.plugins ?? [], ...(process.env['PATH'] ?? '').split(delimiter)];
  return [
    new Check('Node.js', subject).ok(process.versions.node),
    await judgePulumi(path),
    ...await Promise.all(packages.map((name) => judgePlugin(name, path, environment))),
  ];
}

async function judgePulumi(path: readonly string[]): Promise<Finding> {
  const check = new Check('Pulumi', subject);
  const program = await findProgram('pulumi', path);
  if (program === undefined) return check.fault('pulumi is not on PATH', { remedy: 'Install it (https://www.pulumi.com/docs/install/), or run `kbf toolchain install`.' });
  try {
    const stdout = await ask(program, 'version');
    const version = /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim();
    const sdk = versionOf('pulumi');
    if (compareVersions(version, sdk) >= 0) return check.ok(`${version} (${program})`);
    return check.warning(`${version} (${program})`, { expected: `${sdk}, the SDK's, or newer`, remedy: 'Raise it where something that the program asks for is not known to it.' });
  } catch (error) {
    return check.fault(`${program} does not answer: ${firstLineOf(error)}`, { remedy: 'Install it anew: https://www.pulumi.com/docs/install/' });
  }
}

/** Found as the engine finds them: on PATH, else in its own store. */
async function judgePlugin(name: string, path: readonly string[], environment: EnvironmentOptions): Promise<Finding> {
  const check = new Check('plugin', name);
  const version = versionOf(name);
  const onPath = await findProgram(`pulumi-resource-${name}`, path);
  if (onPath !== undefined) return judgeVersion(check, onPath, { has: await versionOfPlugin(onPath, path), needs: version });
  const { home, isOwn } = await homeOf(environment);
  const stored = join(home, 'plugins', `resource-${name}-v${version}`);
  if (existsSync(stored)) return check.ok(stored);
  const get = `${isOwn ? `PULUMI_HOME=${shellWord(home)} ` : ''}pulumi plugin install resource ${name} ${version}`;
  return environment.plugins === undefined
    ? check.warning(`version ${version} is not there: \`up\` will download it`, { remedy: `Where it cannot: ${get}` })
    : check.fault(`version ${version} is not there, and is not downloaded on a sandbox`, { remedy: 'Run `kbf toolchain install`.' });
}

/** The engine takes a plugin that is on PATH whatever its version is. */
function judgeVersion(check: Check, plugin: string, { has, needs }: { has: string | undefined; needs: string }): Finding {
  if (has === undefined) return check.ok(plugin);
  const found = `${has} (${plugin})`;
  const remedy = `Put version ${needs} in its place, or take it from PATH: then Pulumi finds or downloads its own.`;
  if (has.split('.')[0] !== needs.split('.')[0]) return check.fault(found, { expected: `${needs}, the SDK's`, remedy });
  return compareVersions(has, needs) >= 0 ? check.ok(found) : check.warning(found, { expected: `${needs}, the SDK's, or newer`, remedy });
}

/** It stands in the schema, which is all that every plugin can be asked for; undefined where the plugin does not say it. */
async function versionOfPlugin(plugin: string, path: readonly string[]): Promise<string | undefined> {
  const program = await findProgram('pulumi', path);
  if (program === undefined) return undefined;
  try {
    const stdout = await ask(program, 'package', 'get-schema', plugin);
    const { version } = JSON.parse(stdout) as { version?: unknown };
    return typeof version === 'string' ? version.replace(/^v/, '').replace(/\+.*$/, '') : undefined;
  } catch {
    return undefined;
  }
}

/** What the Pulumi CLI prints. Without a home of its own it would begin a log in the user's. */
async function ask(program: string, ...args: string[]): Promise<string> {
  const env = { PULUMI_SKIP_UPDATE_CHECK: 'true', PULUMI_HOME: variable('PULUMI_HOME') ?? devNull };
  const { stdout } = await execa(program, args, { env, timeout: 20_000, maxBuffer: 200_000_000 });
  return stdout;
}

/** Where the engine keeps its plugins: in Pulumi's home, which is kbf's own where its state is. */
async function homeOf(environment: EnvironmentOptions): Promise<{ home: string; isOwn: boolean }> {
  const told = variable('PULUMI_HOME');
  if (told !== undefined) return { home: told, isOwn: false };
  const { stateDir } = located(environment);
  const { project } = await readSettings(environment);
  const isOwn = ownState({ stateDir, ownBackend: environment.ownBackend, hasBackend: project.backend?.url !== undefined }) !== undefined;
  return { home: isOwn ? ownHome(stateDir) : join(homedir(), '.pulumi'), isOwn };
}

function versionOf(name: string): string {
  return (require(`@pulumi/${name}/package.json`) as { version: string }).version.replace(/^v/, '');
}
