import assert from 'node:assert/strict';
import type { ConsumerGroup } from '../../automation/drill/consumers.ts';
import { faults } from '../../automation/drill/faults/index.ts';
import type { Bounds, Kafka } from '../../automation/drill/kafka.ts';
import { Live } from '../../automation/drill/live.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import { drain, readLog, readUntilAbort } from '../../automation/drill/verify.ts';
import { passingRun } from '../fixtures/passing-run.ts';

const nowMs = 60_000;
/** How long a bridge's producer may wait for what it must know of a topic, and then try, ms. */
const [blockMs, deliveryMs] = [20, 30];

describe('the end of a drill', () => {
  let live: Live;
  /** What was waited for, in words. */
  let waited: string[];
  beforeEach(() => {
    live = new Live(() => nowMs, ['east']);
    waited = [];
  });

  function drillOf(): Drill {
    return {
      live, clock: () => nowMs, faults: [], plan: { topic: 't', consumers: { mode: 'subscribe' } }, outputs: { regions: [{ name: 'east' }] }, signal: new AbortController().signal, seen: { configuration: { 'east bridge': { deliveryTimeoutMs: deliveryMs, maxBlockMs: blockMs } } },
      phase: (_: string, detail: string) => waited.push(detail),
    } as unknown as Drill;
  }
  const kafka = { bounds: () => Promise.resolve(new Map()), committed: () => Promise.resolve({ 0: 7 }) } as unknown as Kafka;
  const consumersOf = (more: object = {}): ConsumerGroup => ({ drained: () => Promise.resolve(true), committed: () => Promise.resolve(true), commitAgain: () => Promise.resolve({}), atLeast: (bounds: Bounds) => bounds, stop: () => Promise.resolve(), someLost: false, recreated: [], notRecreated: [], broken: [], ...more } as unknown as ConsumerGroup);
  const consumers = consumersOf();

  it('waits as long as a bridge may wait for a topic and then try, from the last unknown answer or the end of a fault that held something back, whichever is later', async () => {
    const drill = drillOf();
    await drain(drill, { kafka, consumers });
    assert.deepEqual(waited, ['consumers to the end of the log']);
    assert.deepEqual(drill.seen.committed, { 0: 7 });
    for (const [unknown, release, waits] of [[nowMs - 10, undefined, true], [nowMs - deliveryMs - 1, undefined, true], [nowMs - blockMs - deliveryMs, undefined, false], [undefined, nowMs - 10, true], [nowMs - 100, nowMs - 10, true], [nowMs - 10, nowMs - 100, true], [nowMs - 100, nowMs - 100, false]] as const) {
      Object.assign(live, { lastUnknownMs: unknown, lastReleaseMs: release });
      waited = [];
      await drain(drillOf(), { kafka, consumers });
      assert.equal(waited.length === 2, waits, `${unknown} ${release}: ${waited.join('; ')}`);
    }
  });

  it('gives consumers a minute to come to the end of the log, and as long as the settings in effect keep a lost member\'s partitions from the others, and half as much again', async () => {
    const { run: { plan, faults: [fault] } } = passingRun();
    assert.ok(fault);
    const waits: number[] = [];
    const group = consumersOf({ drained: (_: Bounds, timeoutMs: number) => Promise.resolve(waits.push(timeoutMs) > 0) });
    const hop = { connectTimeoutMs: 500, retryOn: 'connect-failure', retryAttempts: 2, retryBackoffMs: 25 };
    const drainOf = (sessionTimeoutMs: number, tookHoldMs: number): Promise<unknown> => drain({
      ...drillOf(), plan, faults: [{ ...fault, fault: 'bridge-kill', tookHoldMs }],
      seen: { configuration: { 'east bridge': { maxBlockMs: 0, deliveryTimeoutMs: 0, sessionTimeoutMs, heartbeatIntervalMs: 3000 }, 'east gateway → bridge': hop, 'tier1 → regions': { connectTimeoutMs: 500 }, Kafka: {} } },
    } as unknown as Drill, { kafka, consumers: group });
    // Its session, a heartbeat, its own interval, a poll with its pause, and the first poll of whoever takes over.
    const boundMs = 120_000 + 3000 + 600 + 700 + 1000;
    await drainOf(120_000, nowMs - 20_000);
    await drainOf(120_000, nowMs - 150_000);
    await drainOf(6000, nowMs - 20_000);
    assert.deepEqual(waits, [boundMs * 1.5 - 20_000, 60_000, 60_000]);
  });

  it('has what consumers could not commit committed again before they are deleted, once another member had its time to take it over', async () => {
    const drained = async (mode: string, commits: boolean): Promise<unknown[]> => {
      const order: unknown[] = [];
      const drill = drillOf();
      drill.plan.consumers = { count: 2, mode: mode as 'assign' };
      Object.assign(drill.seen, { configuration: { 'east bridge': { maxBlockMs: 0, deliveryTimeoutMs: 0, sessionTimeoutMs: 120_000 } } });
      waited = [];
      await drain(drill, { kafka, consumers: consumersOf({
        committed: (timeoutMs: number) => Promise.resolve(order.push(timeoutMs) < 0 || commits), commitAgain: () => Promise.resolve(order.push('again') > 0 ? { 2: '500 no' } : {}), stop: () => Promise.resolve(order.push('stop')),
      }) });
      assert.deepEqual(drill.seen.consumers?.notCommitted, { 2: '500 no' });
      return [...order, waited.at(-1)];
    };
    assert.deepEqual(await drained('subscribe', true), [2000, 'again', 'stop', 'consumers to the end of the log']);
    assert.deepEqual(await drained('subscribe', false), [2000, 180_000, 'again', 'stop', 'until what consumers were given is committed']);
    assert.deepEqual(await drained('assign', false), [2000, 'again', 'stop', 'consumers to the end of the log']);
  });

  it('reads the log as far as consumers were to come, or came, and not what was written after that', async () => {
    const told = new Map([[0, { begin: 0n, end: 3n }]]);
    const further = new Map([[0, { begin: 0n, end: 4n }]]);
    const read: Bounds[] = [];
    const order: string[] = [];
    // Another record is written each time that anybody looks.
    let end = 2n;
    const log = { ...kafka, bounds: () => Promise.resolve(new Map([[0, { begin: 0n, end: end += 1n }]])), async* read(_: string, bounds: Bounds) { yield await Promise.resolve([read.push(bounds)]); } } as unknown as Kafka;
    const group = consumersOf({
      drained: (bounds: Bounds) => {
        assert.deepEqual(bounds, told);
        return Promise.resolve(true);
      },
      stop: () => Promise.resolve(order.push('stop')),
      atLeast: (bounds: Bounds) => {
        assert.deepEqual([order, bounds], [['stop'], told]);
        return further;
      },
    });
    const drill = { ...drillOf(), store: { log: { append: () => undefined } } } as unknown as Drill;
    await readLog(drill, log, await drain(drill, { kafka: log, consumers: group }));
    assert.deepEqual(read, [further]);
    assert.equal(drill.seen.logRead, true);
  });

  it('reads a log that was cut short as far as there is one, so that what consumers were given beyond is seen to be lost', async () => {
    const read: Bounds[] = [];
    const log = { ...kafka, bounds: () => Promise.resolve(new Map([[0, { begin: 0n, end: 3n }], [1, { begin: 0n, end: 9n }]])), async* read(_: string, bounds: Bounds) { yield await Promise.resolve([read.push(bounds)]); } } as unknown as Kafka;
    await readLog({ ...drillOf(), store: { log: { append: () => undefined } } } as unknown as Drill, log, new Map([[0, { begin: 0n, end: 5n }], [1, { begin: 0n, end: 7n }]]));
    assert.deepEqual(read, [new Map([[0, { begin: 0n, end: 3n }], [1, { begin: 0n, end: 7n }]])]);
  });

  it('waits until a consumer that was lost is made anew, or given up, and keeps why it was not', async () => {
    const order: string[] = [];
    const why = 'consumer 1 of group g could not be made within 90000 ms';
    const notRecreated: string[] = [];
    const drill = drillOf();
    const lost = consumersOf({
      someLost: true, recreated: ['poll: 503'], notRecreated, broken: ['x is not a function'], stop: () => Promise.resolve(order.push('stop')),
      settled: () => Promise.resolve(order.push('settled', String(notRecreated.push(why)))),
    });
    await drain(drill, { kafka, consumers: lost });
    assert.deepEqual([order, drill.seen.consumers], [['settled', '1', 'stop'], { recreated: 1, notRecreated: [why], broken: ['x is not a function'], notCommitted: {} }]);
    assert.deepEqual(waited, ['consumers to the end of the log', 'until a consumer that was lost is made anew']);
  });

  it('that ended itself reads the log once its workers were heard out, and not at all where something of theirs is missing', async () => {
    for (const [missing, said] of [[undefined, ['workers', 'log']], ['worker 1 did not say its last', ['workers']]] as const) {
      const order: string[] = [];
      const drill = { ...drillOf(), options: {}, signal: AbortSignal.abort(), store: { log: { append: () => undefined } } } as unknown as Drill;
      const log = { ...kafka, async* read() { yield await Promise.resolve([order.push('log')]); } } as unknown as Kafka;
      await readUntilAbort(drill, { kafka: log, workers: { finish: (signal) => Promise.resolve(signal?.aborted === false && order.push('workers') > 0 ? missing : 'nobody could be heard') } });
      assert.deepEqual([order, drill.seen.logRead === true], [said, missing === undefined]);
    }
  });

  it('waits for what stands still or is cut off, not for processes that are gone', () => {
    assert.deepEqual(Object.values(faults).filter(({ holdsBack }) => holdsBack === true).map(({ name }) => name),
      ['bridge-hang', 'bridge-slow', 'bridge-cut-from-kafka', 'gateway-black-hole', 'region-black-hole', 'both-regions-blip']);
  });
});
