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

  it('is said to be left only where that can be done', async () => {
    const instead = async (before: object, after: object, more: object = {}) => unchangeable(await ran(before, {}, more), configuration({ kafka: { ...place, ...after }, ...more }))[0]?.instead;
    const back = /no region answers: set it back, or mirror the records to a Kafka of another stack, or run destroy first\.$/;
    assert.match(await instead({}, { listeners: [{ type: 'nodeport' }] }) ?? '', back, 'the first of two has the short names');
    const signing = { api: 'v1beta2', version: '3.9.1', certificate: { source: 'self-signed' } };
    assert.match(await instead({ listeners: [balancer], ...signing }, { listeners: [route], ...signing }, { operators: { strimzi: { version: '0.45.1' } } }) ?? '', back, 'with more names its certificate is another one');
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
});

async function ran(kafka: object, statuses: Record<string, object> = {}, more: object = {}): Promise<Previous> {
  return previousOf(await recordTopology({ kafka: { ...place, ...kafka }, ...more }), statuses);
}

function said(before: Previous, kafka: object, more: object = {}): string[][] {
  return unchangeable(before, configuration({ kafka: { ...place, ...kafka }, ...more })).map(({ path, running, wanted }) => [path, running, wanted]);
}
