import assert from 'node:assert/strict';

import { kafkaOf, made, type Written } from './kafka-fixtures.ts';
import { balancedAt, recordTopology } from './topology-fixtures.ts';

const until21 = 'external-dns.alpha.kubernetes.io';
const since22 = 'external-dns.kubernetes.io';

/** As each release of ExternalDNS reads it. */
const forAll = (name: string, value: string): Record<string, string> => ({ [`${until21}/${name}`]: value, [`${since22}/${name}`]: value });

describe('tier1’s host names by ExternalDNS', () => {
  /** Annotations of tier1's Service by which it is published. */
  async function published(tier1: { dns?: string; service: { type?: string; address: string; annotations?: object } }): Promise<Record<string, string>> {
    const { spec } = (await recordTopology({ tier1 }, balancedAt(tier1.service.address))).inputsOf('install.tetrate.io/v1alpha1:Gateway', 'tier1-gateway') as { spec: { kubeSpec: { service: { annotations?: Record<string, string> } } } };
    return Object.fromEntries(Object.entries(spec.kubeSpec.service.annotations ?? {}).filter(([key]) => key.startsWith('external-dns.')));
  }
  const hosts = forAll('hostname', 'bridge.example,east.bridge.example,west.bridge.example');

  for (const type of ['NodePort', 'ClusterIP']) {
    it(`are published with what stands in front of a ${type}, which has no address of its own`, async () => {
      for (const address of ['203.0.113.7', '2600:1900::1', 'front.example']) {
        assert.deepEqual(await published({ dns: 'external-dns', service: { type, address } }), { ...hosts, ...forAll('target', address) }, address);
      }
    });
  }

  it('are published with the address that a person says by annotation', async () => {
    for (const prefix of [until21, since22]) {
      for (const type of ['NodePort', 'LoadBalancer']) {
        const said = { [`${prefix}/target`]: '203.0.113.7' };
        assert.deepEqual(await published({ dns: 'external-dns', service: { type, address: '10.0.0.7', annotations: said } }), { ...hosts, ...forAll('target', '203.0.113.7') }, `${type} ${prefix}`);
      }
    }
  });

  it('are published with that of a load balancer, which ExternalDNS reads itself', async () => {
    assert.deepEqual(await published({ dns: 'external-dns', service: { address: '203.0.113.7' } }), hosts);
  });

  it('are published by nobody unless that is asked for', async () => {
    assert.deepEqual(await published({ service: { type: 'NodePort', address: '203.0.113.7' } }), {});
  });
});

describe('brokers’ host names by ExternalDNS', () => {
  it('are published with the address that a person says, for each release of it', async () => {
    const kafka = await made({ listeners: [{ type: 'loadbalancer', annotations: { [`${until21}/target`]: '203.0.113.7' } }] });
    const [balanced] = kafkaOf(kafka)['listeners'] as { configuration: { brokers: Written[] } }[];
    assert.deepEqual((balanced?.configuration.brokers[0] as { annotations?: unknown }).annotations, { ...forAll('hostname', 'broker-0.kafka.example'), ...forAll('target', '203.0.113.7') });
  });
});
