import { z } from 'zod';

import { dnsLabel, issuer, objectName, place, service, serviceName } from './values.ts';

const secret = objectName.default('tier1-tls').describe('Name of the Secret with certificate and key, in tier1’s namespace.');

const tls = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('secret').describe('A Secret that exists.'), secret }),
  z.strictObject({ source: z.literal('cert-manager').describe('cert-manager makes the Secret. An issuer of kind Issuer lies in tier1’s namespace, which then exists as well and is left as it is.'), secret, issuer: issuer.describe('The issuer.') }),
  z.strictObject({ source: z.literal('self-signed').describe('The program makes a certificate that signs itself; its key is encrypted in the state.'), secret }),
]);

export const tier1 = z.strictObject({
  ...place,
  tsbCluster: dnsLabel.optional().describe('What TSB calls the cluster; absent: read from the cluster’s ControlPlane.'),
  namespace: dnsLabel.default('edge').describe('Namespace of tier1. The program makes it, except with `namespaces: given`, or with `tls.source: secret` or an issuer of kind Issuer, as the Secret or the Issuer is in it: then it exists.'),
  name: serviceName.default('tier1').describe('Name of the gateway, of its Service and of its pods’ label `app`.'),
  replicas: z.int().min(1).max(100).default(1).describe('Pods of the gateway. With one, the loss of its node is the loss of tier1, until it runs elsewhere.'),
  revision: dnsLabel.optional().describe('Revision of the mesh in its cluster, for the gateway; absent: the default one.'),
  mode: z
    .enum(['failover', 'weighted'])
    .default('failover')
    .describe('failover: no weights, so that outlier detection and locality may move requests between regions; weighted: TSB fails nothing over.'),
  weights: z.record(dnsLabel, z.int().min(0).max(100)).optional().describe('Percent of the requests for each region, by name; only with mode weighted.'),
  active: z
    .union([z.literal('all'), z.strictObject({ first: dnsLabel.describe('Region that gets every request while it lives.') })])
    .default('all')
    .describe('all: every region serves; `first:` and a region: the others stand by. With `tsb.api: tier1gateway` neither can be had for sure: those of tier1’s own region come first.'),
  retries: z
    .enum(['safe', 'tsb-default'])
    .default('safe')
    .describe('safe: only what was never sent is sent again, and who fails is left out at once; tsb-default: TSB’s own settings at tier1 and in regions, which repeat produces, so that records are written twice, and leave out who failed ten times.'),
  tls: tls.optional().describe('HTTPS on port 443; absent: HTTP on port 80.'),
  service: service.prefault({}).describe('Service of tier1.'),
  dns: z.enum(['external-dns']).optional().describe('Who publishes the host names; absent: nobody, or the zone `gcp.dnsZone`. ExternalDNS is told by annotations `external-dns.kubernetes.io/…`, and by `external-dns.alpha.kubernetes.io/…`, which its releases before 0.22.0 read.'),
});
