import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../../errors.ts';
import { AbortCondition } from '../../automation/drill/guard.ts';
import { runDrill } from '../../automation/drill/index.ts';
import { carryOut } from '../../automation/drill/phases.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import type { RunRecord } from '../../automation/drill/report.ts';
import { Interrupted } from '../../automation/interrupt.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';

const region = { context: 'east', namespace: 'kafka-bridge', bridge: 'bridge', gatewayAddress: '10.0.0.1' };
const outputs = { hostname: 'bridge.example', tier1Address: '127.0.0.1', kafka: { bootstrapServers: '127.0.0.1:1' }, regions: [{ ...region, name: 'east' }, { ...region, name: 'west' }] };

describe('a refusal', () => {
  /** What becomes of one that comes when that much was done. */
  async function refusedWhen(touched: boolean): Promise<unknown> {
    const drill: Pick<Drill, 'options' | 'plan' | 'outputs' | 'seen' | 'signal' | 'phase' | 'touched'> = {
      options: {} as Drill['options'], plan: {} as Drill['plan'], outputs: {} as Drill['outputs'], seen: { logRead: false }, signal: new AbortController().signal, touched,
      phase: () => { throw new UserError('no container bridge runs', { exitCode: 2 }); },
    };
    return await carryOut(drill as Drill);
  }

  it('is one only while nothing was touched: what came of the steps before it is evidence, and the reason stands in its report', async () => {
    await assert.rejects(refusedWhen(false), { exitCode: 2 });
    assert.deepEqual(await refusedWhen(true), { kind: 'inconclusive', reason: 'no container bridge runs' });
  });
});

describe('a drill that is ended early', () => {
  it('stores that a person wished it', async () => {
    await using api = await startFakeKubernetes();
    const directory = await mkdtemp(path.join(tmpdir(), 'kbf-interrupted-'));
    const stop = new AbortController();
    try {
      const { exitCode } = await runDrill({
        outputs, environment: 'test', kubeconfig: api.kubeconfig, stateDir: path.join(directory, 'state'), reportDir: path.join(directory, 'report'),
        signal: stop.signal, onEvent: (event) => { if (event.kind === 'phase' && event.phase === 'steady') stop.abort(new Interrupted('SIGINT')); },
      });
      assert.equal(exitCode, 130);
      const { ending, interrupted } = JSON.parse(await readFile(path.join(directory, 'report', 'run.json'), 'utf8')) as RunRecord;
      assert.deepEqual([ending, interrupted], [{ kind: 'aborted', reason: 'SIGINT' }, true]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('is inconclusive where its own side failed', async () => {
    const condition = new AbortController();
    const drill = {
      options: {}, plan: {}, outputs: {}, seen: { logRead: false }, signal: condition.signal,
      phase() {
        condition.abort(new AbortCondition('the load generator ended: out of memory', { own: true }));
        condition.signal.throwIfAborted();
      },
    };
    assert.deepEqual(await carryOut(drill as unknown as Drill), { kind: 'inconclusive', reason: 'the load generator ended: out of memory' });
  });

  it('stores nothing of the kind where it ended itself', async () => {
    const condition = new AbortController();
    const { signal } = condition;
    const drill: Pick<Drill, 'options' | 'plan' | 'outputs' | 'seen' | 'signal' | 'phase'> = {
      options: { signal: new AbortController().signal } as Drill['options'], plan: {} as Drill['plan'], outputs: {} as Drill['outputs'], seen: { logRead: false }, signal,
      phase() {
        condition.abort(new AbortCondition('no region served a request for 10 s'));
        signal.throwIfAborted();
      },
    };
    assert.deepEqual(await carryOut(drill as Drill), { kind: 'aborted', reason: 'no region served a request for 10 s' });
    assert.deepEqual(drill.seen, { logRead: false });
  });
});
