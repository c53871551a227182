import assert from 'node:assert/strict';
import type { V1Service } from '@kubernetes/client-node';
import { planClusters } from '../../sandbox/machine/clusters.ts';
import { apiServerTargets, serviceTargets } from '../../sandbox/machine/relay-targets.ts';

const tier1: V1Service = {
  metadata: { namespace: 'edge', name: 'tier1' },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }, { port: 443, protocol: 'TCP' }, { port: 53, protocol: 'UDP' }] },
  status: { loadBalancer: { ingress: [{ ip: '10.212.0.1' }] } },
};

describe('Relay targets', () => {
  it('are all API servers', () => {
    assert.deepEqual(apiServerTargets(planClusters(1)), {
      'kafka/apiserver': { host: '10.11.0.2', port: 6443 },
      'central/apiserver': { host: '10.12.0.2', port: 6443 },
      'east/apiserver': { host: '10.13.0.2', port: 6443 },
    });
  });

  it('are the TCP ports of a load balancer Service', () => {
    assert.deepEqual(serviceTargets('central', tier1), {
      'central/edge/tier1:80': { host: '10.212.0.1', port: 80 },
      'central/edge/tier1:443': { host: '10.212.0.1', port: 443 },
    });
  });

  it('are not those of a Service without an address yet, or of another type', () => {
    assert.deepEqual(serviceTargets('central', { ...tier1, status: {} }), {});
    assert.deepEqual(serviceTargets('central', { ...tier1, spec: { ...tier1.spec, type: 'ClusterIP' } }), {});
  });
});
