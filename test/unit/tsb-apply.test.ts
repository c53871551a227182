import assert from 'node:assert/strict';
import type { KubernetesObject } from '@kubernetes/client-node';
import { applyDifference, writeStatus } from '../../sandbox/operators/tsb/apply.ts';
import type { WatchedCluster } from '../../sandbox/operators/tsb/cluster.ts';
import { ApiError } from '../../sandbox/operators/tsb/connection.ts';
import type { Wanted } from '../../sandbox/operators/tsb/translate/objects.ts';
import { istioObject } from '../../sandbox/operators/tsb/translate/objects.ts';
import { central, tsb } from './tsb-fixtures.ts';

/** An API server in memory: what is applied is there, and every call is written down. */
class Fake {
  readonly calls: string[] = [];
  readonly stored = new Map<string, KubernetesObject>();
  refuse: ApiError | undefined;
  /** Whether it answers to nothing. */
  hangs = false;
  readonly specs: unknown[] = [];

  readonly cluster: WatchedCluster = {
    connection: {
      context: 'central',
      silent: false,
      get: () => Promise.reject(new Error('not asked')),
      apply: (path, object) => {
        this.calls.push(`apply ${path}`);
        if (this.hangs) {
          (this.cluster.connection as { silent: boolean }).silent = true;
          return Promise.reject(new Error('no answer'));
        }
        this.specs.push((object as { spec?: unknown }).spec);
        if (this.refuse) return Promise.reject(this.refuse);
        const generation = (this.stored.get(path)?.metadata?.generation ?? 0) + 1;
        const stored = { ...object, metadata: { ...(object as KubernetesObject).metadata, generation } } as KubernetesObject;
        this.stored.set(path, stored);
        return Promise.resolve(stored);
      },
      mergePatch: (path, change) => {
        this.calls.push(`patch ${path} ${JSON.stringify(change)}`);
        return Promise.resolve({});
      },
      delete: (path) => {
        this.calls.push(`delete ${path}`);
        this.stored.delete(path);
        return Promise.resolve();
      },
      watch: () => { throw new Error('not watched'); },
    },
    generations: new Map(),
    synced: true,
    tsbObjects: () => [],
    owned: () => [...this.stored.values()],
    facts: () => undefined,
  };

  apply(wanted: Wanted[], prune = true) {
    return applyDifference({ cluster: this.cluster, wanted, prune, log: () => undefined, propagationMs: 1 });
  }
}

const source = tsb(['gateway.tsb.tetrate.io/v2', 'Gateway', 'tier1'], {}, { parents: {} });
const wanted = (kind: 'VirtualService' | 'ServiceEntry', spec: object = {}): Wanted => ({ cluster: central(), source, object: istioObject(kind, { name: 'x', namespace: 'edge' }, spec) });
const path = (plural: string) => `/apis/networking.istio.io/v1/namespaces/edge/${plural}/x`;

describe('applying a translation', () => {
  it('keeps the subset that routes still lead to until they lead to another', async () => {
    const fake = new Fake();
    const rule = (name: string): Wanted => ({ cluster: central(), source, object: istioObject('DestinationRule', { name: 'x', namespace: 'edge' }, { subsets: [{ name }] }) });
    const entry = (name: string): Wanted => wanted('ServiceEntry', { endpoints: [{ address: '10.0.0.1', labels: { [name]: 'true' } }] });
    await fake.apply([entry('both'), rule('both'), wanted('VirtualService', { to: 'both' })]);
    fake.specs.length = 0;
    await fake.apply([entry('one'), rule('one'), wanted('VirtualService', { to: 'one' })]);
    assert.deepEqual(fake.specs, [
      { endpoints: [{ address: '10.0.0.1', labels: { both: 'true', one: 'true' } }] },
      { subsets: [{ name: 'one' }, { name: 'both' }] },
      { to: 'one' },
      { endpoints: [{ address: '10.0.0.1', labels: { one: 'true' } }] },
      { subsets: [{ name: 'one' }] },
    ]);
  });

  it('asks a cluster that does not answer once, not for every object', async () => {
    const fake = new Fake();
    fake.hangs = true;
    assert.equal((await fake.apply([wanted('VirtualService'), wanted('ServiceEntry')])).length, 1);
    assert.equal(fake.calls.length, 1);
  });

  it('applies what others point to first, and the same thing only once', async () => {
    const fake = new Fake();
    const both = [wanted('VirtualService'), wanted('ServiceEntry')];
    assert.deepEqual(await fake.apply(both), []);
    assert.deepEqual(fake.calls, [`apply ${path('serviceentries')}`, `apply ${path('virtualservices')}`]);
    await fake.apply(both);
    assert.equal(fake.calls.length, 2);
    await fake.apply([wanted('VirtualService', { hosts: ['new'] }), wanted('ServiceEntry')]);
    assert.deepEqual(fake.calls.slice(2), [`apply ${path('virtualservices')}`]);
  });

  it('puts right what a person changed', async () => {
    const fake = new Fake();
    await fake.apply([wanted('VirtualService')]);
    const stored = fake.stored.get(path('virtualservices'));
    assert.ok(stored?.metadata);
    fake.stored.set(path('virtualservices'), { ...stored, metadata: { ...stored.metadata, generation: 2 } });
    await fake.apply([wanted('VirtualService')]);
    assert.equal(fake.calls.length, 2);
  });

  it('deletes what is no longer wanted, but not before every cluster was seen', async () => {
    const fake = new Fake();
    await fake.apply([wanted('VirtualService')]);
    await fake.apply([], false);
    assert.equal(fake.stored.size, 1);
    await fake.apply([]);
    assert.deepEqual([fake.stored.size, fake.calls.at(-1)], [0, `delete ${path('virtualservices')}`]);
  });

  it('says whose object a cluster refused, and tells a refusal from an outage', async () => {
    const fake = new Fake();
    fake.refuse = new ApiError(422, 'spec.http[0].timeout is invalid');
    const [refusal] = await fake.apply([wanted('VirtualService')]);
    assert.equal(refusal?.message, 'central: not applied VirtualService edge/x: spec.http[0].timeout is invalid');
    assert.deepEqual([refusal.source, refusal.refused], [source, true]);
    fake.refuse = new ApiError(503, 'overloaded');
    assert.deepEqual((await fake.apply([wanted('VirtualService')])).map(({ refused }) => refused), [false]);
  });

  it('writes a verdict into the status only when it changed', async () => {
    const fake = new Fake();
    const verdict = { state: 'ACCEPTED', message: 'translated', warnings: [] } as const;
    await writeStatus(fake.cluster, source, verdict);
    assert.deepEqual(fake.calls, ['patch /apis/gateway.tsb.tetrate.io/v2/namespaces/tsb-conf/gateways/tier1/status '
      + '{"status":{"state":"ACCEPTED","message":"translated","warnings":[],"observedGeneration":1}}']);
    await writeStatus(fake.cluster, { ...source, status: { ...verdict, observedGeneration: 1 } }, verdict);
    assert.equal(fake.calls.length, 1);
  });
});
