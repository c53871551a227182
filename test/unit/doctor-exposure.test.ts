import assert from 'node:assert/strict';

import { judgeExposure } from '../../automation/doctor/exposure.ts';
import { lineOf } from '../../automation/doctor/finding.ts';
import { configuration } from './doctor-fixtures.ts';

describe('doctor: what is open', () => {
  const judged = (change: object = {}, isSandbox = false): string[] => judgeExposure({ configuration: configuration(change), isSandbox }).map(lineOf);
  const kafka = (...listeners: object[]) => ({ kafka: { context: 'east', domain: 'kafka.invalid', listeners } });

  it('is said of a Kafka that asks nobody, on a load balancer for everybody, and of plain HTTP', () => {
    assert.deepEqual(judged(), [
      'warning    exposure  kafka.listeners[0]  the listener external asks nobody who they are, and its load balancer is public as far as its annotations say: whoever reaches it may read and write every record. '
      + 'Set kafka.listeners[0].authentication before the first up, or after a destroy (docs/authentication.md), or keep its load balancer inside by kafka.listeners[0].annotations.',
      'warning    exposure  tier1  serves plain HTTP: records can be read on the way from clients. Set tier1.tls.',
    ]);
  });

  it('is said of each listener that others reach, which may have no load balancer, or one inside', () => {
    const [internal, route, balanced] = [{ type: 'internal', name: 'tls', port: 9093 }, { type: 'route' }, { type: 'loadbalancer', name: 'lb', port: 9095 }];
    assert.match(judged(kafka(internal, route, balanced)).join('\n'), /^warning .*kafka\.listeners\[1\] {2}the listener external asks nobody who they are: whoever.*\(docs\/authentication\.md\)\.\nwarning .*kafka\.listeners\[2\] {2}the listener lb .*is public/);
    assert.doesNotMatch(judged(kafka({ type: 'loadbalancer', class: 'service.k8s.aws/nlb' }))[0] ?? '', /public/, 'its controller decides');
    for (const [key, value] of [
      ['networking.gke.io/load-balancer-type', 'Internal'], ['cloud.google.com/load-balancer-type', 'internal'], ['service.beta.kubernetes.io/aws-load-balancer-scheme', 'internal'],
      ['service.beta.kubernetes.io/aws-load-balancer-internal', 'true'], ['service.beta.kubernetes.io/azure-load-balancer-internal', 'true'], ['service.beta.kubernetes.io/openstack-internal-load-balancer', 'true'],
    ] as const) assert.doesNotMatch(judged(kafka({ type: 'loadbalancer', annotations: { [key]: value } }))[0] ?? '', /public/, key);
    for (const [key, value] of [['networking.gke.io/internal-load-balancer-allow-global-access', 'true'], ['service.beta.kubernetes.io/aws-load-balancer-internal', 'false'], ['service.beta.kubernetes.io/aws-load-balancer-scheme', 'internet-facing']] as const) {
      assert.match(judged(kafka({ type: 'loadbalancer', annotations: { [key]: value } }))[0] ?? '', /is public/, key);
    }
  });

  it('is not where Kafka asks and tier1 has TLS, and not said of a Kafka of others or of the sandbox', () => {
    const authentication = { type: 'tls', secret: { name: 'user' } };
    const closed = { ...kafka({ type: 'loadbalancer', authentication: 'tls' }), bridge: { authentication }, tier1: { context: 'east', tsbCluster: 'east-1', tls: { source: 'self-signed' } } };
    assert.deepEqual(judged(closed), ['ok         exposure  kafka.listeners[0]  the listener external asks who comes in, by tls', 'ok         exposure  tier1  serves HTTPS']);
    const given = configuration();
    const ofOthers = { ...given, kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: '' } } };
    assert.deepEqual(judgeExposure({ configuration: ofOthers, isSandbox: false }).map(({ subject }) => subject), ['tier1']);
    assert.deepEqual(judged({}, true), []);
  });
});
