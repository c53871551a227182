import { z } from 'zod';

import { dnsLabel, place, service, serviceName, text } from './values.ts';

export const region = z.strictObject({
  name: dnsLabel.describe('Names everything of the region, and its own host name: <name>.<hostname>.'),
  ...place,
  tsbCluster: dnsLabel.optional().describe('What TSB calls the cluster; absent: read from the cluster’s ControlPlane.'),
  locality: z
    .strictObject({
      region: text.describe('Region, as the nodes’ label topology.kubernetes.io/region says.'),
      zone: text.optional().describe('Zone, as topology.kubernetes.io/zone says.'),
    })
    .optional()
    .describe('Where the cluster’s nodes are. When every region says so, failover goes from each region to the next.'),
  replicas: z.int().min(1).max(100).default(1).describe('Bridges in this region. What is produced goes to all, and what is asked of a group of consumers to one of them, where `tsb.envoyFilters` and `bridge.service` are at their defaults.'),
  gateway: z
    .strictObject({
      name: serviceName.default('kafka-bridge-gateway').describe('Name of the gateway, of its Service and of its pods’ label `app`.'),
      routes: dnsLabel.optional().describe('Name of the TSB object with its routes; absent: the gateway’s.'),
      replicas: z.int().min(1).max(100).default(1).describe('Pods of the gateway.'),
      service: service.prefault({}).describe('Service of the gateway.'),
    })
    .prefault({})
    .describe('The gateway that requests for the region come in by.'),
});
