import { z } from 'zod';

import { dnsLabel, googleName, milliseconds, place, text, topicName, version } from './values.ts';

function operator(defaults: { version: string; chart: string; namespace: string }) {
  return z.strictObject({
    install: z.boolean().default(false).describe('true: the program installs it by its chart; false: it has to be there, and is checked.'),
    version: version.default(defaults.version).describe('Its version, and its chart’s.'),
    chart: z
      .string()
      .regex(/^(oci:\/\/|https:\/\/|\/|\.{1,2}\/).+|^[^:]+\.tgz$/, 'oci://…, https://…, or the path of a .tgz file or a folder')
      .default(defaults.chart)
      .describe('Where the chart is: oci://<registry>/<path>/<chart>, https://<repository>/<chart>, https://….tgz, or the path of a .tgz file or a folder, relative to the program’s directory.'),
    namespace: dnsLabel.default(defaults.namespace).describe('Its namespace. Where the program installs it, it makes that as well, except with `namespaces: given`: then it exists.'),
    given: z
      .record(text, z.strictObject({ namespace: dnsLabel.optional().describe('Its namespace there; absent: as in the other clusters.') }))
      .default({})
      .describe('Clusters by context that `install: true` does not hold for: there somebody else installs it, and it is checked.'),
    values: z.record(z.string(), z.unknown()).default({}).describe('Values of the chart, over the program’s own.'),
  });
}

export const operators = z.strictObject({
  strimzi: operator({ version: '1.2.0', chart: 'oci://quay.io/strimzi-helm/strimzi-kafka-operator', namespace: 'strimzi' }).prefault({}).describe('Strimzi’s operator, in Kafka’s cluster and in every region.'),
  certManager: operator({ version: '1.21.2', chart: 'oci://quay.io/jetstack/charts/cert-manager', namespace: 'cert-manager' }).prefault({}).describe('cert-manager, in Kafka’s cluster.'),
});

/** Producer and consumers of the walk-through, as pods. */
export const generators = z.strictObject({
  context: place.context.optional().describe('kubeconfig context of the cluster that they run in; absent: tier1’s.'),
  kubeconfig: place.kubeconfig,
  namespace: dnsLabel.default('traffic').describe('Their namespace. The program makes it, except with `namespaces: given`: then it exists.'),
  topic: topicName.describe('Topic that they write and read.'),
  intervalMs: milliseconds.default(1_000).describe('Time between two records.'),
  image: text.default('docker.io/library/node:24-alpine').describe('An image with Node.js.'),
});

/** What is used of Google Cloud, and only where it is set. */
export const gcp = z.strictObject({
  project: z.string().regex(/^[a-z][-a-z0-9]{4,28}[a-z0-9]$/, 'the id of a project: 6 to 30 lower-case letters, digits and hyphens').describe('Project id.'),
  region: z.string().regex(/^[a-z]+-[a-z]+\d+$/, 'a region, such as us-central1').optional().describe('Region of the static address.'),
  clusters: z
    .record(
      text,
      z.strictObject({
        name: dnsLabel.describe('Name of the GKE cluster.'),
        location: z.string().regex(/^[a-z]+-[a-z]+\d+(-([a-z]|ai\d+[a-z]))?$/, 'a region or zone, such as us-east1 or us-east1-b').describe('Its region or zone.'),
      }),
    )
    .default({})
    .describe('GKE clusters by the `context` that the other concerns call them.'),
  staticAddress: googleName.optional().describe('Name of a regional address of the outside to reserve for tier1.'),
  dnsZone: googleName.optional().describe('Name of the managed zone that gets the host names.'),
});

