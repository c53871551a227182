/** The same objects by kubectl, as a person with a good script would: what depends on nothing first, clusters at the same time, and each wait that the program has. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Kubectl } from './kbf.ts';

/** An object as the program wrote it, with the values that are known only after `up`. */
export interface BenchObject {
  readonly context: string;
  readonly manifest: Readonly<Record<string, unknown>> & { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: Readonly<Record<string, string>> } };
  /** How many others have to be there before: the longest chain. */
  readonly level: number;
}

interface Resource { readonly urn: string; readonly type: string; readonly provider?: string; readonly parent?: string; readonly dependencies?: readonly string[]; readonly inputs?: Record<string, unknown> }

/** The objects of the last `up` on a sandbox, from its state. */
export async function objectsOfState(sandboxDir: string, kubectl: Kubectl): Promise<BenchObject[]> {
  const file = join(sandboxDir, 'pulumi/state/.pulumi/stacks/kafka-bridge-failover/dev.json');
  const { checkpoint } = JSON.parse(await readFile(file, 'utf8')) as { checkpoint: { latest: { resources: Resource[] } } };
  const { resources } = checkpoint.latest;
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const level = (urn: string): number => Math.max(-1, ...(byUrn.get(urn)?.dependencies ?? []).map(level)) + 1;
  return await Promise.all(resources.filter(({ type }) => type.startsWith('kubernetes:')).map(async ({ urn, provider = '', inputs = {} }) => {
    const context = provider.split('::')[3] ?? '';
    const manifest = plain(inputs) as BenchObject['manifest'];
    return { context, manifest: manifest.kind === 'Secret' ? await withData(context, manifest, kubectl) : manifest, level: level(urn) };
  }));
}

/** The state has the data of a Secret encrypted; the cluster has it as it is. */
async function withData(context: string, secret: BenchObject['manifest'], kubectl: Kubectl): Promise<BenchObject['manifest']> {
  const { name, namespace = 'default' } = secret.metadata;
  const { data } = JSON.parse(await kubectl(context, ['get', 'secret', name, '-n', namespace, '-o', 'json'])) as { data: unknown };
  return { ...secret, stringData: undefined, data };
}

const secretMark = '4dabf18193072939515e22adb298388d';

/** Without what Pulumi keeps beside an object, and without secret values. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if (secretMark in value) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('__')).map(([key, each]) => [key, plain(each)]));
}

/** Milliseconds until all are there and ready. */
export async function apply(objects: readonly BenchObject[], kubectl: Kubectl): Promise<number> {
  const startedAt = performance.now();
  const levels = [...new Set(objects.map(({ level }) => level))].sort((a, b) => a - b);
  for (const level of levels) {
    await perContext(objects.filter((each) => each.level === level), async (context, some) => {
      await kubectl(context, ['apply', '--server-side', '-f', '-'], documents(some));
      await Promise.all(some.map((object) => ready(object, kubectl)));
    });
  }
  return performance.now() - startedAt;
}

/** Milliseconds until none is left. One cluster after another: kubectl knows one at a time, and tier1 has to go before regions and those before Kafka. */
export async function remove(objects: readonly BenchObject[], kubectl: Kubectl): Promise<number> {
  const startedAt = performance.now();
  const sorted = objects.toSorted((a, b) => b.level - a.level);
  for (const [context, some] of Map.groupBy(sorted, (object) => object.context)) {
    await kubectl(context, ['delete', '--wait', '--ignore-not-found', '-f', '-'], documents(some));
  }
  return performance.now() - startedAt;
}

async function ready({ context, manifest: { kind, apiVersion, metadata: { name, namespace, annotations = {} } } }: BenchObject, kubectl: Kubectl): Promise<void> {
  const place = namespace === undefined ? [] : ['-n', namespace];
  const condition = annotations['pulumi.com/waitFor'];
  if (condition !== undefined) await kubectl(context, ['wait', `--for=${condition}`, '--timeout=600s', ...place, `${kind}.${apiVersion.replace(/^(.*)\/(.*)$/, '$2.$1')}/${name}`]);
  // The program waits for what a gateway's operator makes, too.
  if (!apiVersion.startsWith('install.tetrate.io/')) return;
  await kubectl(context, ['wait', '--for=create', '--timeout=300s', ...place, `deployment/${name}`, `service/${name}`]);
  await kubectl(context, ['wait', '--for=condition=Available', '--timeout=300s', ...place, `deployment/${name}`]);
  await kubectl(context, ['wait', '--for=jsonpath={.status.loadBalancer.ingress[0]}', '--timeout=300s', ...place, `service/${name}`]);
}

async function perContext(objects: readonly BenchObject[], run: (context: string, some: readonly BenchObject[]) => Promise<void>): Promise<void> {
  await Promise.all([...Map.groupBy(objects, ({ context }) => context)].map(([context, some]) => run(context, some)));
}

/** JSON is YAML. */
function documents(objects: readonly BenchObject[]): string {
  return objects.map(({ manifest }) => JSON.stringify(manifest)).join('\n---\n');
}
