import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesCluster } from '../../sandbox/operators/strimzi/cluster.ts';
import type { KafkaBridge } from '../../sandbox/operators/strimzi/model.ts';
import { Reconciler } from '../../sandbox/operators/strimzi/reconciler.ts';
import { bridge } from './strimzi-fixtures.ts';

const finalizer = 'example/finalizer';

/** How many passes are made over a resource that has come to be as it is. */
async function passes(resource: KafkaBridge, options: { finalizer?: string } = {}): Promise<number> {
  const stop = new AbortController();
  let count = 0;
  const reconciler = new Reconciler<KafkaBridge>({
    cluster: { writeStatus: () => Promise.resolve(false) } as unknown as KubernetesCluster, find: () => resource, log: () => undefined, signal: stop.signal, ...options,
    pass: () => {
      count += 1;
      return Promise.resolve({ state: 'ready', warnings: [], fields: {} });
    },
  });
  reconciler.changed('ns/my');
  await delay(20);
  stop.abort();
  return count;
}

const deleted = (finalizers: string[]): KafkaBridge => bridge(({ metadata }) => { Object.assign(metadata, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers }); });

describe('the operator, of a resource', () => {
  it('that is there brings it about', async () => {
    assert.equal(await passes(bridge()), 1);
  });

  it('that is being deleted leaves what was made of it to the garbage collector', async () => {
    assert.equal(await passes(deleted(['foregroundDeletion'])), 0);
    assert.equal(await passes(deleted(['foregroundDeletion']), { finalizer }), 0);
  });

  it('that is being deleted and waits for the operator does its part', async () => {
    assert.equal(await passes(deleted([finalizer, 'foregroundDeletion']), { finalizer }), 1);
  });
});
