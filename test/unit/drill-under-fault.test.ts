import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../errors.ts';
import type { Fault } from '../../automation/drill/faults/fault.ts';
import { writeEntry } from '../../automation/drill/faults/journal.ts';
import type { JournalEntry } from '../../automation/drill/faults/journal.ts';
import type { Target } from '../../automation/drill/faults/target.ts';
import { Live } from '../../automation/drill/live.ts';
import type { Phase } from '../../automation/drill/options.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import type { FaultMark } from '../../automation/drill/plan.ts';
import { arrange, heal, healArranged, NotHealed, prepareFault, underFault } from '../../automation/drill/underFault.ts';
import type { Injection } from '../../automation/drill/underFault.ts';
import { startFakeKubernetes } from '../fixtures/fake-kubernetes.ts';
import type { FakeKubernetes } from '../fixtures/fake-kubernetes.ts';

describe('a fault without the right to it', () => {
  let api: FakeKubernetes;
  beforeEach(async () => { api = await startFakeKubernetes(); });
  afterEach(() => api[Symbol.asyncDispose]());

  const region = { name: 'east', context: 'east', namespace: 'apps', bridge: 'b', gateway: 'gw', gatewayAddress: '' };
  const prepare = (fault: string): Promise<Injection> => prepareFault(
    { plan: { run: 'run-1', durationSeconds: 30 }, outputs: { regions: [region], kafka: {} }, options: { kubeconfig: api.kubeconfig } } as unknown as Drill,
    { kind: 'do', fault, region: 'east' }, { topic: 't', leader: () => Promise.resolve(1), hosts: () => Promise.resolve([]) },
  );

  for (const [fault, pathname, what] of [
    ['region-black-hole', '/api/v1/pods', 'the pods of istiod'], ['istiod-down', '/apis/apps/v1/deployments', 'the Deployments'], ['operator-down', '/apis/apps/v1/deployments', 'the Deployments'],
    ['bridge-terminate', '/api/v1/namespaces/apps/pods', 'the pods strimzi.io/kind=KafkaBridge,strimzi.io/cluster=b of namespace apps'],
  ] as const) {
    it(`is refused, with its name: ${fault}`, async () => {
      api.objects.set('/apis/apps/v1/namespaces/apps/deployments/gw', { metadata: { name: 'gw' }, spec: { selector: { matchLabels: { app: 'gw' } } } });
      const resource = pathname.split('/').at(-1) ?? '';
      api.answer = (_method, url) => (url.pathname === pathname ? [403, { message: `${resource} is forbidden: User "me" cannot list resource "${resource}"` }] : undefined);
      await assert.rejects(prepare(fault), { exitCode: 2, message: `${what} cannot be listed in cluster east: 403 ${resource} is forbidden: User "me" cannot list resource "${resource}"`, remedy: /^get the right/ });
    });
  }

  it('is not refused where an API server does not answer well', async () => {
    api.answer = () => [500, { message: 'etcd' }];
    await assert.rejects(prepare('istiod-down'), { exitCode: 1, message: 'the Deployments cannot be listed in cluster east: 500 etcd' });
  });
});

describe('a fault under load', () => {
  let stateDir: string;
  /** The drill's clock, which goes on only as a test wants it. */
  let nowMs: number;
  let there: boolean;
  let faults: FaultMark[];
  /** What the journal held at each healing. */
  let journal: string[][];
  beforeEach(async () => {
    stateDir = await mkdtemp(path.join(tmpdir(), 'kbf-under-'));
    [nowMs, there, faults, journal] = [0, false, [], []];
  });
  afterEach(() => rm(stateDir, { recursive: true, force: true }));

  /** Nobody answers its injection, and it comes about all the same, 50 ms later. */
  const late: Fault = {
    name: 'late', blastRadius: '', needs: '', expects: { during: 'any' }, ends: 'healed',
    describe: () => '', prepare: () => Promise.resolve({}),
    inject: () => {
      setTimeout(() => { there = true; }, 50);
      return Promise.reject(new UserError('no answer'));
    },
    isEffective: () => Promise.resolve(there),
    async heal() {
      journal.push(await readdir(path.join(stateDir, 'faults')).catch(() => []));
      const was = there;
      there = false;
      nowMs += 9_800;
      return was;
    },
    isHealed: () => Promise.resolve(!there),
  };

  function drillOf(signal = new AbortController().signal): Drill {
    const live = { okSince: () => [], until: () => Promise.resolve(true) };
    return {
      options: { stateDir }, plan: { run: 'run-1', durationSeconds: 1 }, outputs: { regions: [{ name: 'east' }] }, clock: () => nowMs, live, faults, signal,
      mark: (mark: FaultMark, more: Partial<FaultMark>) => Object.assign(mark, more), phase: () => undefined,
    } as unknown as Drill;
  }
  const injectionOf = (fault: Fault): Injection => ({ fault, region: 'east', target: { refs: {} } as Target, text: 'it', holdMs: 0, asked: true, undo: {} });

  it('that was brought about before the load is healed once, as the journal may hold another after that', async () => {
    const healings: string[] = [];
    const arranged: Fault = { ...late, arrange: () => Promise.resolve(), inject: () => Promise.resolve(), isEffective: () => Promise.resolve(true), heal: () => Promise.resolve(healings.push('east') > 0), isHealed: () => Promise.resolve(true) };
    const first = injectionOf(arranged);
    await underFault(drillOf(), first);
    const another: JournalEntry = { schema: 'kbf-fault/2', run: 'run-1', fault: 'gateway-kill', target: 'a gateway', refs: {} as JournalEntry['refs'], undo: {}, at: '' };
    await writeEntry(stateDir, another);
    await healArranged(drillOf(), first);
    assert.deepEqual(healings, ['east']);
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), ['run-1.json']);
    await healArranged(drillOf(), injectionOf(arranged));
    assert.deepEqual(healings, ['east', 'east']);
  });

  it('that is brought about before the load is in the journal by then', async () => {
    let noted: string[] = [];
    await arrange(drillOf(), injectionOf({ ...late, arrange: async () => { noted = await readdir(path.join(stateDir, 'faults')); } }));
    assert.deepEqual(noted, ['run-1.json']);
  });

  it('that could not be brought about is in the journal and looked for again until nothing of it can come about any more', async () => {
    await assert.rejects(underFault(drillOf(), injectionOf(late)), { message: 'no answer' });
    assert.equal(there, false);
    assert.deepEqual(journal, [['run-1.json'], ['run-1.json']]);
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), []);
  });

  it('that could not be brought about is over when its region serves again, unless the drill is interrupted, or it would have ended by itself', async () => {
    const marked = async (fault: Fault, stop?: AbortController): Promise<boolean> => {
      const heal = (): Promise<boolean> => {
        stop?.abort();
        nowMs += 20_000;
        return Promise.resolve(true);
      };
      await assert.rejects(underFault(drillOf(stop?.signal), injectionOf({ ...fault, heal })));
      return faults.at(-1)?.recoveredMs !== undefined;
    };
    assert.equal(await marked(late), true);
    assert.equal(await marked(late, new AbortController()), false);
    assert.equal(await marked({ ...late, ends: 'by itself' }), false);
  });

  it('that is gone before it is healed leaves the drill without its answer, and is healed all the same', async () => {
    const held = async (isThere: (asked: number) => boolean, lasts?: Fault['lasts']): Promise<void> => {
      let asked = 0;
      const isEffective = (): Promise<boolean> => Promise.resolve(isThere(asked++));
      await underFault(drillOf(), injectionOf({ ...late, inject: () => Promise.resolve(), isEffective, ...(lasts && { lasts }), isHealed: () => Promise.resolve(true) }));
    };
    await held(() => true);
    await assert.rejects(held((asked) => asked === 0), { name: 'UserError', exitCode: 1, message: /^the fault was gone before it was healed: late of it was ended by somebody else/ });
    assert.deepEqual([journal.length, await readdir(path.join(stateDir, 'faults'))], [2, []]);
    assert.notEqual(faults.at(-1)?.recoveredMs, undefined);
    // An answer of a moment, and one that says of itself that it lasts.
    await held((asked) => asked !== 1);
    await held((asked) => asked === 0, () => Promise.resolve(true));
    await assert.rejects(held(() => true, () => Promise.resolve(false)), /was gone/);
    // Of what cannot be asked nobody knows.
    await held(() => true, () => Promise.reject(new UserError('no answer')));
  });

  it('is not brought about, nor noted, in a drill that was interrupted by then', async () => {
    const wish = new Error('enough');
    const never: Fault = { ...late, arrange: () => assert.fail('it was arranged'), inject: () => assert.fail('it was injected') };
    for (const begin of [arrange, underFault]) await assert.rejects(begin(drillOf(AbortSignal.abort(wish)), injectionOf(never)), (error) => error === wish);
    assert.deepEqual([faults, existsSync(path.join(stateDir, 'faults'))], [[], false]);
  });

  it('that could not be healed, whatever kept it from that, is said to be so, and stays in the journal', async () => {
    const phase = (name: Phase): void => { if (name === 'heal') throw new Error('nobody can be told'); };
    const fault: Fault = { ...late, inject: () => Promise.resolve(), isEffective: () => Promise.resolve(true) };
    await assert.rejects(underFault({ ...drillOf(), phase }, injectionOf(fault)), (error) => error instanceof NotHealed && error.code === 'not-healed' && error.message === 'late of it could not be healed: nobody can be told');
    assert.deepEqual(await readdir(path.join(stateDir, 'faults')), ['run-1.json']);
  });

  it('is not brought about where its journal cannot be written', async () => {
    await writeFile(path.join(stateDir, 'faults'), '');
    await assert.rejects(underFault(drillOf(), injectionOf({ ...late, inject: () => assert.fail('it was') })),
      { name: 'UserError', exitCode: 1, message: /faults\/run-1\.json cannot be written, so nothing was done to it \(late\): EEXIST/ });
    assert.deepEqual(faults, []);
  });

  it('is waited for at the same cost for each request, whatever the load has come to', async () => {
    const live = new Live(() => nowMs, ['east', 'west']);
    const served = (region: string, sentMs: number): void => { live.add({ producer: 'p0', seq: 0, attempt: 0, key: 'k', intendedMs: sentMs, issuedMs: sentMs, sentMs, endMs: sentMs, outcome: 'ok', class: 'ok', region }); };
    const drill = { ...drillOf(), live, outputs: { regions: [{ name: 'east' }, { name: 'west' }] } } as unknown as Drill;
    const heal = (): Promise<boolean> => {
      for (let i = 1; i <= 50_000; i += 1) served('west', nowMs + i / 10);
      return Promise.resolve(true);
    };
    const waiting = underFault(drill, injectionOf({ ...late, expects: { during: 'serves' }, inject: () => Promise.resolve(), isEffective: () => Promise.resolve(true), heal, isHealed: () => Promise.resolve(true) }));
    while (faults[0]?.healMs === undefined) await delay(1);
    await delay(50);
    const begun = performance.now();
    for (let i = 0; i < 5_000; i += 1) served('west', 6_000 + i / 10);
    assert.equal(faults[0].recoveredMs, undefined);
    served('east', 7_000);
    await waiting;
    assert.notEqual(faults[0].recoveredMs, undefined);
    assert.ok(performance.now() - begun < 1_000, `${performance.now() - begun} ms`);
  });

  it('may have held something back until it was healed, where it is of that kind', async () => {
    for (const [fault, releaseMs] of [[late, undefined], [{ ...late, holdsBack: true as const }, 19_600]] as const) {
      const drill = drillOf();
      await heal(drill, injectionOf(fault));
      assert.equal(drill.live.lastReleaseMs, releaseMs);
    }
  });
});
