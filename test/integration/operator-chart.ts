/** A chart of the sandbox's own Strimzi operator, so that the program can install it and raise its version. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { V1CustomResourceDefinition } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { readManifests } from '../../sandbox/operators/addon.ts';
import { operator } from '../../sandbox/operators/strimzi/addon.ts';

/**
 * Writes a chart folder like that of a release of Strimzi: definitions, and the operator with its rights. The definitions are those of 1.2.0;
 * an older chart's lack the one field that is known to have come with it.
 * @returns the folder
 */
export async function operatorChart(folder: string, version: string, definitions: string): Promise<string> {
  await mkdir(join(folder, 'crds'), { recursive: true });
  await mkdir(join(folder, 'templates'));
  await writeFile(join(folder, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'strimzi-kafka-operator', description: 'The sandbox\'s stand-in.', version, appVersion: version }));
  for (const object of structuredClone(await readManifests(definitions)) as V1CustomResourceDefinition[]) {
    if (version !== '1.2.0') forgetClusterSecurity(object);
    await writeFile(join(folder, 'crds', `${object.metadata?.name ?? ''}.yaml`), stringify(object));
  }
  const objects = operator({ namespace: '{{ .Release.Namespace }}', tag: '{{ .Chart.AppVersion }}' }).filter(({ kind }) => kind !== 'Namespace');
  await writeFile(join(folder, 'templates', 'operator.yaml'), objects.map((object) => stringify(object)).join('---\n'));
  return folder;
}

/** `status.clusterSecurity` of a Kafka came with 1.2.0. */
function forgetClusterSecurity({ spec: { versions } }: V1CustomResourceDefinition): void {
  for (const { schema } of versions) delete schema?.openAPIV3Schema?.properties?.['status']?.properties?.['clusterSecurity'];
}
