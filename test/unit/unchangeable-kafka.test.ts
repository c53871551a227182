/** What a run may do to the Kafka that the last one left: nothing that takes bridges their way in, or that Strimzi does not do. */
import assert from 'node:assert/strict';

import type { Previous } from '../../components/previous.ts';
import { unchangeable } from '../../components/unchangeable.ts';
import { configuration, previousOf, recordTopology } from './topology-fixtures.ts';

const place = { context: 'kafka', domain: 'kafka.example' };
const route = { name: 'route', type: 'route', port: 9095 };
const balancer = { name: 'balancer', type: 'loadbalancer', port: 9094 };

describe('the way by which bridges come in', () => {
  const refusals: [what: string, before: object, after: object, expected: string[][]][] = [
    ['by other names', {}, { domain: 'other.example' }, [['kafka.domain', 'kafka.example', 'other.example']]],
    ['by other names that Routes have', { listeners: [route] }, { listeners: [route], domain: 'apps.example' }, [['kafka.domain', 'kafka.example', 'apps.example']]],
    ['by names that end alike', { domain: 'a.kafka.example' }, { domain: 'kafka.example' }, [['kafka.domain', 'a.kafka.example', 'kafka.example']]],
    ['of another kind', {}, { listeners: [{ type: 'nodeport' }] }, [['kafka.listeners[0].type', 'loadbalancer', 'nodeport']]],
    ['by another port', {}, { listeners: [{ type: 'loadbalancer', port: 9095 }] }, [['kafka.listeners[0].port', '9094', '9095']]],
    ['under another name', {}, { listeners: [balancer] }, [['kafka.listeners', 'a listener external', 'none of this name']]],
    ['with another certificate', {}, { listeners: [{ type: 'loadbalancer', certificate: 'operator' }] }, [['kafka.listeners[0].certificate', 'own', 'operator']]],
    ['with one of its own', { listeners: [{ type: 'loadbalancer', certificate: 'operator' }] }, {}, [['kafka.listeners[0].certificate', 'operator', 'own']]],
    ['behind one that has its names now', {}, { listeners: [{ ...balancer, port: 9095 }, { type: 'loadbalancer' }] }, [['kafka.listeners', 'bootstrap.kafka.example', 'bootstrap-external.kafka.example']]],
    ['for two that ask other things', { listeners: [balancer] }, { listeners: [route, { ...balancer, authentication: 'tls' }] }, [['kafka.listeners', 'no authentication of bridges', 'tls']]],
    ['of one that is no longer of use to them', { listeners: [balancer] }, { listeners: [route, { ...balancer, tls: false }] }, [['kafka.listeners[1].certificate', 'own', 'none']]],
  ];
  for (const [what, before, after, expected] of refusals) {
    it(`is not another ${what}`, async () => {
      assert.deepEqual(said(await ran(before), after), expected);
    });
  }

  it('is the same with a certificate of the operator’s, where there is none of its own', async () => {
    const listeners = [{ type: 'loadbalancer', certificate: 'operator' }];
    assert.deepEqual(said(await ran({ listeners }), { listeners }), []);
  });

  it('may be another as long as no bridge ever came in by it', async () => {
    const notReady = { conditions: [{ type: 'NotReady', status: 'True' }] };
    const changed = { domain: 'other.example', listeners: [{ type: 'nodeport' }] };
    assert.deepEqual(said(await ran({}, { 'east-bridge': notReady, 'west-bridge': notReady }), changed), []);
    assert.deepEqual(said(await ran({}, { 'east-bridge': notReady, 'west-bridge': { conditions: [{ type: 'Ready', status: 'True' }] } }), changed), [['kafka.listeners[0].type', 'loadbalancer', 'nodeport']]);
  });

  it('is said to be free after a refresh, perhaps, where the last run did not see whether a bridge ever came', async () => {
    const instead = async (statuses: Record<string, object>) => unchangeable(await ran({}, statuses), configuration({ kafka: { ...place, listeners: [{ type: 'nodeport' }] } })).map((refusal) => refusal.instead)[0] ?? '';
    assert.match(await instead({}), /run destroy first\. Whether a bridge ever came in the last run did not see\. Run `kbf refresh`/);
    assert.match(await instead({ 'east-bridge': { conditions: [{ type: 'Ready', status: 'True' }] } }), /run destroy first\.$/);
  });

  it('may get others beside it', async () => {
    assert.deepEqual(said(await ran({}), { listeners: [{ type: 'loadbalancer' }, { ...balancer, port: 9095 }, { name: 'in', type: 'internal', port: 9096 }] }), []);
  });

  for (const [from, to] of [[balancer, route], [route, balancer], [route, { ...route, name: 'other', port: 9096 }]] as const) {
    it(`is left by two runs, from a ${from.type} to ${from.type === to.type ? 'another' : `a ${to.type}`}, and the refusal of one says so`, async () => {
      const both = { listeners: [to, from] };
      assert.deepEqual(said(await ran({ listeners: [from] }), both), []);
      assert.deepEqual(said(await ran(both), { listeners: [to] }), []);
      const [refusal] = unchangeable(await ran({ listeners: [from] }), configuration({ kafka: { ...place, listeners: [to] } }));
      assert.match(refusal?.instead ?? '', /so that no region answers: leave it as it is, put one of another name and port before it, run up, then take this one out/);
    });
  }

  it('keeps the class of its load balancer, whoever comes in by it', async () => {
    const nlb = 'service.k8s.aws/nlb';
    const classes = (...given: (string | undefined)[]) => ({ listeners: given.map((name, index) => ({ type: 'loadbalancer', name: `l${index}`, port: 9094 + index, ...(name && { class: name }) })) });
    const before = await ran(classes(undefined, nlb));
    assert.deepEqual(said(before, classes(nlb, undefined)), [['kafka.listeners[0].class', 'none', nlb], ['kafka.listeners[1].class', nlb, 'none']]);
    const insteads = unchangeable(before, configuration({ kafka: { ...place, ...classes(nlb, undefined) } })).map(({ instead }) => instead);
    assert.match(insteads[0] ?? '', /than it was made with: set it back, or mirror/);
    assert.match(insteads[1] ?? '', /than it was made with: set it back, or give the listener another name\.$/);
    const ingress = (name: string) => ({ listeners: [{ type: 'ingress', class: name }] });
    assert.deepEqual(said(await ran(ingress('a')), ingress('b')), []);
  });

  it('is said to be left only where that can be done', async () => {
    const instead = async (before: object, after: object, more: object = {}) => unchangeable(await ran(before, { 'east-bridge': { conditions: [{ type: 'Ready', status: 'True' }] } }, more), configuration({ kafka: { ...place, ...after }, ...more }))[0]?.instead;
    const back = /no region answers: set it back, or mirror the records to a Kafka of another stack, or run destroy first\.$/;
    assert.match(await instead({}, { listeners: [{ type: 'nodeport' }] }) ?? '', back, 'the first of two has the short names');
    const signing = { api: 'v1beta2', version: '3.9.1', certificate: { source: 'self-signed' } };
    assert.match(await instead({ listeners: [balancer], ...signing }, { listeners: [route], ...signing }, { operators: { strimzi: { version: '0.45.1' } } }) ?? '', back, 'with more names its certificate is another one');
  });
});

describe('the certificate that bridges trust', () => {
  const issued = (issuer: object, more: object = {}) => ({ certificate: { source: 'issuer', issuer: { name: 'a', kind: 'ClusterIssuer', ...issuer }, ...more } });
  const old = { operators: { strimzi: { version: '0.45.1' } } };
  const signing = (more: object = {}, brokers = 3) => ({ api: 'v1beta2', version: '3.9.1', brokers, certificate: { source: 'self-signed', ...more } });

  it('is not another issuer’s', async () => {
    const before = await ran(issued({}));
    assert.deepEqual(said(before, issued({ name: 'b' })), [['kafka.certificate.issuer.name', 'a', 'b']]);
    assert.deepEqual(said(before, issued({}, { leafDays: 90 })), [], 'bridges trust the issuer');
    assert.deepEqual(said(await ran(issued({}), {}, { namespaces: 'given' }), issued({ kind: 'Issuer' }), { namespaces: 'given' }), [['kafka.certificate.issuer.kind', 'ClusterIssuer', 'Issuer']]);
  });

  it('may be any of its root', async () => {
    assert.deepEqual(said(await ran({}), { certificate: { leafDays: 90, rootDays: 900 } }), []);
  });

  it('is not another one that signs itself', async () => {
    const before = await ran(signing(), {}, old);
    const one = 'one that signs itself';
    assert.deepEqual(said(before, signing(), old), []);
    assert.deepEqual(said(before, signing({ leafDays: 90, organization: 'us' }), old), [['kafka.certificate.leafDays', '365', '90'], ['kafka.certificate.organization', 'kafka', 'us']]);
    assert.deepEqual(said(before, signing({}, 4), old), [['kafka.certificate', one, 'another one, with broker-3.kafka.example,']]);
    const wildcard = await ran(signing({ hosts: ['*.kafka.example'] }), {}, old);
    assert.deepEqual(said(wildcard, signing({ hosts: ['*.kafka.example'] }, 4), old), [], 'it has room for more');
  });

  it('may be another one as long as no bridge ever came in by it', async () => {
    const notReady = { conditions: [{ type: 'NotReady', status: 'True' }] };
    assert.deepEqual(said(await ran(issued({}), { 'east-bridge': notReady, 'west-bridge': notReady }), issued({ name: 'b' })), []);
  });
});

describe('what Kafka does not take back', () => {
  const status = (kafkaVersion: string, kafkaMetadataVersion?: string) => ({ kafka: { kafkaVersion, ...(kafkaMetadataVersion && { kafkaMetadataVersion }) } });

  it('is its version, once what it writes is of it', async () => {
    const before = await ran({ version: '4.3.1' }, status('4.3.1', '4.3-IV0'));
    assert.deepEqual(said(before, { version: '4.2.1' }), [['kafka.version', '4.3.1', '4.2.1']]);
    assert.deepEqual(said(before, { version: '4.3.0' }), [], 'of the same metadata');
    assert.deepEqual(said(await ran({ version: '4.3.1' }, status('4.3.1', '4.2-IV1')), { version: '4.2.1' }), [['kafka.version', '4.3.1', '4.2.1']], 'it follows a little later');
    assert.deepEqual(said(await ran({ version: '4.3.1', metadataVersion: '4.2-IV1' }, status('4.3.1', '4.3-IV0')), { version: '4.2.1' }), [['kafka.version', '4.3.1', '4.2.1']], 'it was held back too late');
    assert.match(unchangeable(before, configuration({ kafka: { ...place, version: '4.2.1' } }))[0]?.instead ?? '', /is of version 4\.3\.1 by now, which an older one does not understand: set it back/);
  });

  it('is not its version while that is the metadata’s of before, or nobody knows', async () => {
    assert.deepEqual(said(await ran({ version: '4.3.1', metadataVersion: '4.2-IV1' }, status('4.3.1', '4.2-IV1')), { version: '4.2.1' }), []);
    assert.deepEqual(said(await ran({ version: '4.3.1' }, status('4.2.0', '4.2-IV1')), { version: '4.2.0' }), [], 'the new one never came');
    assert.deepEqual(said(await ran({ version: '4.3.1' }), { version: '4.2.0' }), [], 'it was never ready');
  });

  it('is the version of its metadata, behind one that it writes otherwise', async () => {
    const asked = async (has: string, metadataVersion: string, { version, ...before }: { version: string; metadataVersion?: string } = { version: '4.3.1' }) =>
      said(await ran({ version, ...before }, status(version, has)), { version, metadataVersion });
    assert.deepEqual(await asked('4.3-IV0', '4.2-IV1'), [['kafka.metadataVersion', '4.3-IV0', '4.2-IV1']]);
    assert.deepEqual(await asked('4.3-IV0', '3.9'), [['kafka.metadataVersion', '4.3-IV0', '3.9']]);
    assert.deepEqual(await asked('4.3-IV0', '4.2-IV1', { version: '4.3.1', metadataVersion: '4.2-IV1' }), [['kafka.metadataVersion', '4.3-IV0', '4.2-IV1']], 'it was held back too late');
    assert.deepEqual(await asked('4.2-IV1', '4.2'), [['kafka.metadataVersion', '4.3-IV0', '4.2']], 'it follows a little later');
    assert.deepEqual(await asked('4.0-IV3', '4.0-IV0', { version: '4.3.1', metadataVersion: '4.0' }), [['kafka.metadataVersion', '4.0-IV3', '4.0-IV0']], 'within one release');
    assert.deepEqual(said(await ran({ version: '4.3.1' }, status('4.3.1', '4.3-IV0')), { version: '4.2.1', metadataVersion: '4.2' }), [['kafka.version', '4.3.1', '4.2.1'], ['kafka.metadataVersion', '4.3-IV0', '4.2']]);
    const [refusal] = unchangeable(await ran({}, status('4.3.1', '4.3-IV0')), configuration({ kafka: { ...place, metadataVersion: '4.2-IV1' } }));
    assert.match(refusal?.instead ?? '', /^What Kafka has written is of version 4\.3-IV0 by now, which it does not write back, and Strimzi would say so in a warning only: set it to 4\.3-IV0\.$/);
  });

  it('is not the version of its metadata while Kafka writes it in the same way, or nobody knows', async () => {
    const held = async (version: string, has: string | undefined, metadataVersion: string) => said(await ran({ version, metadataVersion: has ?? '4.2' }, has === undefined ? {} : status(version, has)), { version, metadataVersion });
    assert.deepEqual(await held('4.3.1', '4.2-IV1', '4.0-IV1'), [], 'so that an older Kafka can come back');
    for (const has of ['4.2', '4.2-IV1']) for (const wanted of ['4.2-IV1', '4.2', '4.3']) assert.deepEqual(await held('4.3.1', has, wanted), [], `${has} to ${wanted}`);
    assert.deepEqual(await held('4.3.1', undefined, '3.9'), [], 'it was never ready');
    const later = { operators: { strimzi: { version: '1.99.0' } } };
    const from = await ran({ version: '4.5.0' }, status('4.5.0', '4.5-IV0'), later);
    assert.deepEqual(said(from, { version: '4.5.0', metadataVersion: '4.3' }, later), [], 'of a Kafka that is later than any known');
    assert.deepEqual(said(from, { version: '4.5.0', metadataVersion: '4.2' }, later), [['kafka.metadataVersion', '4.5', '4.2']], 'behind one that is known');
  });

  it('is with ZooKeeper its version, unless brokers speak the older one’s', async () => {
    const old = (version: string, config: object = {}) => ({ api: 'v1beta2', version, config });
    const operators = { strimzi: { version: '0.45.1' } };
    const refused = async (config: object) => said(await ran(old('3.9.1', config), status('3.9.1'), { operators }), old('3.8.0', config), { operators });
    assert.deepEqual(await refused({}), [['kafka.version', '3.9.1', '3.8.0']]);
    assert.deepEqual(await refused({ 'inter.broker.protocol.version': '3.8' }), []);
  });

  it('is a partition, of a topic that is there', async () => {
    const topics = (a: number, b: number) => ({ topics: [{ name: 'a', partitions: a }, { name: 'b', partitions: b }] });
    const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
    const before = await ran(topics(6, 12), { 'kafka-topic-a': ready, 'kafka-topic-b': ready });
    assert.deepEqual(said(before, topics(12, 6)), [['kafka.topics[1].partitions', '12', '6']]);
    assert.deepEqual(said(await ran(topics(6, 12), { 'kafka-topic-b': { conditions: [{ type: 'NotReady', status: 'True' }] } }), topics(6, 6)), []);
  });

  it('is the number of a topic’s copies, either way, unless that has changed already', async () => {
    const copies = (replicas: number) => ({ brokers: 5, topics: [{ name: 'a', replicas }] });
    const ready = { 'kafka-topic-a': { conditions: [{ type: 'Ready', status: 'True' }] } };
    assert.deepEqual(said(await ran(copies(4), ready), copies(3)), [['kafka.topics[0].replicas', '4', '3']]);
    assert.deepEqual(said(await ran(copies(4), ready), copies(5)), [['kafka.topics[0].replicas', '4', '5']]);
    assert.deepEqual(said(await ran(copies(4), { 'kafka-topic-a': { conditions: [{ type: 'Ready', status: 'False', reason: 'NotSupported' }] } }), copies(5)), []);
  });

  it('are topics: they are deleted where somebody means it', async () => {
    const topics = (...names: string[]) => ({ topics: names.map((name) => ({ name })) });
    const before = await ran(topics('orders', 'Not_K8s', 'kept'));
    assert.deepEqual(said(before, topics('kept', 'orders', 'Not_K8s', 'more')), []);
    const [refusal, ...more] = unchangeable(before, configuration({ kafka: { ...place, ...topics('kept') } }));
    assert.deepEqual(more, []);
    assert.deepEqual([refusal?.path, refusal?.running, refusal?.wanted], ['kafka.topics', 'orders, Not_K8s', 'none of this name']);
    assert.match(refusal?.instead ?? '', /^A topic's records go with it, so that up deletes none: set it back\. Where they are to go: kubectl --context kafka -n kafka-cluster delete kafkatopic orders not-k8s-[0-9a-f]{8}, and then run `kbf refresh` /);
    assert.deepEqual(said(await ran(topics('orders')), {}), [['kafka.topics', 'orders', 'none of this name']], 'the last one');
  });

  it('is a broker, by whichever API', async () => {
    const old = (brokers: number) => ({ api: 'v1beta2', version: '3.9.1', brokers });
    const operators = { strimzi: { version: '0.45.1' } };
    const before = await ran(old(5), {}, { operators });
    assert.deepEqual(said(before, old(4), { operators }), [['kafka.brokers', '5', '4']]);
    assert.deepEqual(said(before, old(6), { operators }), []);
  });
});

describe('a Kafka that never was ready', () => {
  /** As a first run leaves it that waited in vain. */
  const begun = async (status?: object): Promise<Previous> => {
    const recording = await recordTopology({ kafka: { ...place, storage: { size: '10Gi', class: 'fsat' } } });
    const resources = recording.resources.filter(({ type, parent }) => parent === 'KafkaCluster' || type === 'kbf:index:KafkaCluster');
    return previousOf({ resources, outputsOf: () => ({}) }, status && { kafka: status });
  };
  const corrected = { kafka: { ...place, brokers: 5, storage: { size: '5Gi', class: 'fast' } } };
  const paths = ['kafka.brokers', 'kafka.storage.size', 'kafka.storage.class'];

  it('is destroyed and made again, as nothing is in it', async () => {
    for (const status of [undefined, { conditions: [{ type: 'NotReady', status: 'True' }] }]) {
      const refusals = unchangeable(await begun(status), configuration(corrected));
      assert.deepEqual(refusals.map(({ path }) => path), paths);
      for (const { instead } of refusals) assert.match(instead, /^It was never ready as far as the last run saw\. Run `kbf refresh`.*: where this is still said after it, nothing is in it, so run destroy first, then up\./);
    }
  });

  it('is told from one that may have records', async () => {
    const insteads = (before: Previous) => unchangeable(before, configuration(corrected)).filter(({ path }) => paths.includes(path)).map(({ instead }) => instead);
    const kept = [await begun({ conditions: [{ type: 'Ready', status: 'True' }] }), await ran({ storage: { size: '10Gi', class: 'fsat' } })];
    for (const before of kept) {
      assert.equal(insteads(before).length, 3);
      for (const instead of insteads(before)) assert.match(instead, /mirror the records/);
    }
  });
});

async function ran(kafka: object, statuses: Record<string, object> = {}, more: object = {}): Promise<Previous> {
  return previousOf(await recordTopology({ kafka: { ...place, ...kafka }, ...more }), statuses);
}

function said(before: Previous, kafka: object, more: object = {}): string[][] {
  return unchangeable(before, configuration({ kafka: { ...place, ...kafka }, ...more })).map(({ path, running, wanted }) => [path, running, wanted]);
}
