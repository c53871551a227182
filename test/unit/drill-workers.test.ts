import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import fc from 'fast-check';
import { defaultConsumers, defaultLoad } from '../../automation/drill/load-plan.ts';
import { scheduleOf } from '../../automation/drill/pacer.ts';
import type { LoadPlan, Plan } from '../../automation/drill/plan.ts';
import type { Attempt, RecordId } from '../../automation/drill/records.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Stored } from '../../automation/drill/report.ts';
import { Ahead } from '../../automation/drill/workers/ahead.ts';
import { Gathered } from '../../automation/drill/workers/gathered.ts';
import { longestLoadSeconds, workerFiles, workerObjects } from '../../automation/drill/workers/job.ts';
import { Outbox } from '../../automation/drill/workers/outbox.ts';
import { driversShare, workersShare } from '../../automation/drill/workers/protocol.ts';
import type { Told, WorkerMessage, WorkerSettings, When } from '../../automation/drill/workers/protocol.ts';
import { passingRun } from '../fixtures/passing-run.ts';

function planOf({ rate = 1000, ...load }: Partial<LoadPlan> & { rate?: number }): Plan {
  return {
    run: 'r', fault: 'none', region: 'east', rate, durationSeconds: 10, connections: 8, requestTimeoutMs: 5000, topic: 't', partitions: 3, keys: 6, seed: 1, steps: [],
    consumers: defaultConsumers, load: { ...defaultLoad, ...load },
  };
}

describe('the shares of a load', () => {
  it('are the whole of it, and the driver sends what it has to see', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 300 }), fc.constantFrom('constant', 'ramp', 'poisson'), (rate, workers, more, pattern) => {
      const plan = { ...planOf({ rate, workers, pattern, rampFrom: 10 }), connections: workers + more };
      const shares = [driversShare(plan), ...Array.from({ length: workers }, (_, worker) => workersShare(plan, worker))];
      assert.ok(Math.abs(shares.reduce((sum, share) => sum + share.rate, 0) - rate) < 1e-6);
      assert.ok(shares.every(({ connections }) => Number.isInteger(connections) && connections >= 1));
      assert.equal(shares.reduce((sum, { connections }) => sum + connections, 0), plan.connections);
      assert.equal(new Set(shares.map(({ seed }) => seed)).size, workers + 1);
      if (pattern === 'ramp') assert.ok(Math.abs(shares.reduce((sum, { load: { rampFrom = 0 } }) => sum + rampFrom, 0) - 10) < 1e-6);
      assert.ok((shares[0]?.rate ?? Infinity) <= 50 + 1e-6);
    }));
  });

  it('is all the driver\'s without workers', () => {
    const plan = planOf({});
    assert.equal(driversShare(plan), plan);
    assert.equal(scheduleOf(plan)(10), 10);
  });
});

describe('what workers said', () => {
  const attempt = (worker: number, seq: number): Attempt => ({ producer: `w${worker}`, seq, attempt: 0, key: 'k', intendedMs: 0, issuedMs: 0, endMs: 0, outcome: 'ok', class: 'ok' });

  /** All parts of so many workers, of one attempt each, as they say them. */
  const said = (workers: number, parts: number): WorkerMessage[] => Array.from({ length: workers }, (_, worker): WorkerMessage[] => [
    { run: 'r', worker, part: 0, kind: 'ready' },
    ...Array.from({ length: parts }, (_, i): WorkerMessage => ({ run: 'r', worker, part: i + 1, kind: 'attempts', attempts: [attempt(worker, i)] })),
    { run: 'r', worker, part: parts + 1, kind: 'ended' },
  ]).flat();

  it('counts once, however often and in whatever order it comes; what is not there is missed', () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 5 })).map(([workers, parts]) => said(workers, parts));
    fc.assert(fc.property(cases.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 1 }))), ([all, some]) => {
      const attempts: Attempt[] = [];
      const gathered = new Gathered('r', new Set(all.map(({ worker }) => worker)).size, (each) => attempts.push(each));
      for (const message of some) gathered.take(message, 0);
      const distinct = new Set(some);
      assert.equal(attempts.length, [...distinct].filter(({ kind }) => kind === 'attempts').length);
      assert.equal(gathered.missing === undefined, distinct.size === all.length, gathered.missing);
      assert.equal(gathered.notReady === undefined, all.every((message) => message.kind !== 'ready' || distinct.has(message)));
    }));
  });

  it('is named with its worker where it is missing, and failures with their reason', () => {
    const gathered = new Gathered('r', 3, () => undefined);
    for (const message of said(2, 2).filter(({ worker, part }) => worker === 0 || part !== 2)) gathered.take(message, 0);
    assert.equal(gathered.missing, '1 of the 4 parts that worker 1 said are missing; worker 2 did not say its last');
    gathered.take({ run: 'r', worker: 2, part: 0, kind: 'ended', failure: 'no way' }, 0);
    assert.equal(gathered.notReady, 'worker 2 ended: no way');
  });

  it('is of this run and of one of its workers, or nothing', () => {
    const gathered = new Gathered('r', 1, () => { assert.fail(); });
    for (const other of [undefined, null, 7, 'x', {}, { run: 'other', worker: 0, part: 0, kind: 'ready' }, { run: 'r', worker: 1, part: 0, kind: 'attempts', attempts: [attempt(1, 0)] }]) gathered.take(other, 0);
    assert.equal(gathered.notReady, 'worker 0 did not speak up');
  });
});

describe('the clock of another machine', () => {
  it('is ahead by what the middle says, and off that by no more than the error, however long words are on their way', () => {
    const delays = fc.array(fc.tuple(fc.double({ min: 0, max: 500, noNaN: true }), fc.double({ min: 0, max: 500, noNaN: true })), { minLength: 1, maxLength: 20 });
    fc.assert(fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), delays, (aheadMs, rounds) => {
      const ahead = new Ahead();
      let nowMs = 0;
      for (const [thereMs, backMs] of rounds) {
        const arrivesMs = nowMs + thereMs + aheadMs;
        ahead.told(arrivesMs - nowMs);
        ahead.heard(arrivesMs, nowMs + thereMs + backMs);
        nowMs += 1_000;
      }
      assert.ok(Math.abs(ahead.middleMs - aheadMs) <= ahead.errorMs + 1e-6);
      assert.ok(Math.abs(aheadMs) <= ahead.mostOffMs + 1e-6);
      const quickest = (way: 0 | 1): number => Math.min(...rounds.map((round) => round[way]));
      assert.ok(Math.abs(ahead.errorMs - (quickest(0) + quickest(1)) / 2) < 1e-6);
    }));
  });

  it('is not known while it was heard one way only', () => {
    const ahead = new Ahead();
    ahead.heard(5, 3);
    assert.deepEqual([ahead.errorMs, ahead.mostOffMs], [Infinity, Infinity]);
  });
});

describe('a run with workers', () => {
  /** Of 100 a second the driver sends 10 and each of two workers 45. */
  const shareOf = ({ seq }: { seq: number }): { producer: string; seq: number } => {
    if (seq % 10 === 0) return { producer: 'p0', seq: seq / 10 };
    const others = seq - Math.floor(seq / 10) - 1;
    return { producer: `w${others % 2}`, seq: Math.floor(others / 2) };
  };
  const storedRun = (): Stored => {
    const stored = passingRun();
    stored.run.plan.load.workers = 2;
    // What was delivered has the log's identities.
    for (const line of [...stored.attempts, ...stored.log.map(({ id }) => id ?? assert.fail())]) Object.assign(line, shareOf(line));
    return stored;
  };
  const verdictWith = (workerClocksMs?: number): unknown[] => {
    const stored = storedRun();
    if (workerClocksMs !== undefined) stored.run.workerClocksMs = workerClocksMs;
    const { verdict, objectives } = judge(stored);
    const { measured, met } = objectives.find(({ name }) => name === 'condition.workerClocksMs') ?? {};
    return [verdict, measured, met];
  };

  it('is inconclusive where their clocks may be further from the driver\'s than what is measured by them, or nobody knows', () => {
    assert.deepEqual(verdictWith(31.25), ['pass', 31.3, true]);
    assert.deepEqual(verdictWith(140), ['inconclusive', 140, false]);
    assert.deepEqual(verdictWith(), ['inconclusive', undefined, false]);
  });

  it('has a region fall silent with its last answer to anybody, in the time that the driver needs to tell it', () => {
    // The driver heard it last 100 ms before its last answer to a worker.
    const missed = (answersAtMs?: number): string[] => {
      const stored = storedRun();
      for (const marks of [stored.run.marks, ...stored.run.faults]) marks.tookHoldMs = 11_090;
      stored.run.workerClocksMs = 5;
      for (const attempt of stored.attempts) if (attempt.endMs === answersAtMs) attempt.region = 'east';
      return judge(stored).objectives.filter(({ met }) => !met).map(({ name }) => name);
    };
    assert.deepEqual([missed(), missed(12_004), missed(14_004)], [[], [], ['regions.east.during']]);
  });

  it('alone is asked for its clocks, also where there is one', () => {
    const asked = (workers: number): boolean => {
      const stored = passingRun();
      stored.run.plan.load.workers = workers;
      return judge(stored).objectives.some(({ name }) => name === 'condition.workerClocksMs');
    };
    assert.deepEqual([asked(0), asked(1)], [false, true]);
  });
});

describe('an outbox', () => {
  it('says one thing after the other, each until it was heard', async () => {
    const tries: number[] = [];
    const outbox = new Outbox<number>((message) => {
      tries.push(message);
      return Promise.resolve(tries.filter((each) => each === message).length > (message === 1 ? 2 : 0));
    });
    for (const message of [0, 1, 2]) outbox.say(message);
    assert.equal(await outbox.empty(), true);
    outbox.say(3);
    assert.equal(await outbox.empty(), true);
    assert.deepEqual(tries, [0, 1, 1, 1, 2, 3]);
  });
});

describe('a worker', () => {
  let directory: string;
  let server: Server;
  let tier1: string;
  const messages: WorkerMessage[] = [];
  const written: RecordId[] = [];
  /** What the driver says, and is still to be read by the worker. */
  let told: Told[] = [];
  const requests: string[] = [];
  /** So many times it gives no partition. */
  let refusals = 0;

  /** A bridge as far as a worker goes: a log for results, one for records, and one that tells it when to begin. */
  async function answer(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString()) as { records: { value: unknown }[] };
    const url = request.url ?? '';
    requests.push(`${request.method} ${request.headers.host} ${url}`);
    if (url === '/topics/t-results') return { offsets: [{ partition: 0, offset: messages.push(body?.records[0]?.value as WorkerMessage) }] };
    if (url === '/topics/t') return { offsets: [{ partition: 0, offset: written.push(body?.records[0]?.value as RecordId) }] };
    if (request.method === 'POST' && /^\/consumers\/[^/]+$/.test(url)) return { instance_id: 'i', base_uri: 'http://east.h:80/consumers/g/instances/i' };
    if (url.includes('/records')) return told.splice(0).map((value) => ({ topic: 't-control', partition: 0, offset: 0, key: null, value }));
    return undefined;
  }

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'kbf-worker-'));
    for (const [file, text] of workerFiles()) {
      await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
      await writeFile(path.join(directory, file), text);
    }
    server = createServer((request, response) => {
      const refused = request.url?.endsWith('/assignments') === true && (refusals -= 1) >= 0;
      void answer(request).then((content) => refused ? response.writeHead(503).end('no healthy upstream') : response.writeHead(content === undefined ? 204 : 200, { 'x-kbf-gateway': 'east' }).end(content === undefined ? undefined : JSON.stringify(content)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    tier1 = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });

  function start(settings: WorkerSettings, index: number) {
    const worker = execa(process.execPath, [path.join(directory, 'workers/worker.ts')], {
      env: { PATH: process.env['PATH'] ?? '', KBF_WORKER: JSON.stringify(settings), JOB_COMPLETION_INDEX: String(index) }, extendEnv: false, reject: false, all: true, forceKillAfterDelay: false,
    });
    return { worker, [Symbol.dispose]: () => { worker.kill('SIGKILL'); } };
  }

  it('needs nothing but Node.js and its files: speaks up, begins when it is told, and tells all of its attempts when it is ended; by the driver\'s clock, though its own is another', async () => {
    // 40 a second are the driver's.
    const plan = planOf({ rate: 400, workers: 2 });
    const beganAt = Date.now() - 60_000;
    const nowMs = (): number => Date.now() - beganAt;
    // Its clock is 7 s behind.
    const settings: WorkerSettings = { plan, tier1: { tier1Address: tier1 }, hostname: 'h', regions: [{ name: 'east', gatewayAddress: '10.0.0.1' }], proxiesRepeat: false, beganAt: beganAt + 7_000 };
    using started = start(settings, 1);
    const { worker } = started;
    /** Tells it the time until it has told its own so often. */
    async function compare(when: When, times: number): Promise<void> {
      while (messages.filter((message) => message.kind === 'clock' && message.when === when).length < times) {
        told.push({ run: 'r', when, saidMs: nowMs() });
        await delay(50);
      }
    }
    while (!messages.some(({ kind }) => kind === 'ready')) await delay(20);
    await compare('before', 3);
    assert.equal(written.length, 0);
    const gathered = new Gathered('r', 2, (attempt) => attempts.push(attempt));
    const attempts: Attempt[] = [];
    const others: WorkerMessage[] = (['before', 'after'] as const).map((when, part) => ({ run: 'r', worker: 0, part, kind: 'clock', when, saidMs: 0, laterMs: 0 }));
    for (const message of [...others, ...messages]) gathered.take(message, message.worker === 0 ? 0 : nowMs());
    const { aheadMs, errorMs } = gathered.ahead;
    assert.ok(Math.abs((aheadMs[1] ?? 0) + 7_000) <= errorMs + 1 && errorMs < 1_000, `${aheadMs} ms, off by ${errorMs} ms`);

    const startMs = nowMs() + 500;
    told.push({ run: 'r', when: 'before', saidMs: nowMs(), start: { startMs, aheadMs } });
    while (written.length < 100) await delay(20);
    worker.kill('SIGTERM');
    await compare('after', 10);
    const { exitCode, all } = await worker;
    assert.equal(exitCode, 0, all);

    for (const message of [...messages, { run: 'r', worker: 0, part: 2, kind: 'ended' }]) gathered.take(message, nowMs());
    assert.equal(gathered.missing, undefined);
    assert.ok((gathered.clocksMs ?? Infinity) < 10_000);
    assert.deepEqual(attempts.map(({ producer, seq }) => ({ run: 'r', producer, seq })).sort((a, b) => a.seq - b.seq), written.toSorted((a, b) => a.seq - b.seq));
    assert.ok(attempts.every(({ producer, outcome, region }) => producer === 'w1' && outcome === 'ok' && region === 'east'));
    // 180 a second each; worker 1 half an interval after worker 0.
    const first = attempts.find(({ seq }) => seq === 0) ?? assert.fail();
    assert.ok(Math.abs(first.intendedMs - startMs - 1000 / 180 / 2) < 0.01, `${first.intendedMs - startMs} ms after the start`);
    assert.ok(first.issuedMs - first.intendedMs < 1_000, 'neither late nor all at once');
    for (const { intendedMs, issuedMs, sentMs = 0, endMs } of attempts) assert.ok(intendedMs <= issuedMs && issuedMs <= sentMs && sentMs <= endMs && endMs <= nowMs());
    assert.ok(requests.includes('DELETE east.h /consumers/g/instances/i'));
  });

  it('that is ended before it was told to begin says so', async () => {
    messages.length = 0;
    told = [];
    const settings: WorkerSettings = { plan: planOf({ workers: 1 }), tier1: { tier1Address: tier1 }, hostname: 'h', regions: [], proxiesRepeat: false, beganAt: Date.now() };
    using started = start(settings, 0);
    const { worker } = started;
    while (!messages.some(({ kind }) => kind === 'ready')) await delay(20);
    worker.kill('SIGTERM');
    assert.equal((await worker).exitCode, 1);
    assert.deepEqual(messages.at(-1), { run: 'r', worker: 0, part: 1, kind: 'ended', failure: 'it was told to end before it was told to begin' });
  });

  it('deletes an instance of its consumer that was given no partition', async () => {
    messages.length = 0;
    requests.length = 0;
    refusals = 1;
    const settings: WorkerSettings = { plan: planOf({ workers: 1 }), tier1: { tier1Address: tier1 }, hostname: 'h', regions: [], proxiesRepeat: false, beganAt: Date.now() };
    using started = start(settings, 0);
    while (!requests.some((request) => request.includes('/records'))) await delay(20);
    started.worker.kill('SIGTERM');
    await started.worker;
    const first = requests.findIndex((request) => request.includes('/records'));
    assert.ok(requests.slice(0, first).includes('DELETE east.h /consumers/g/instances/i'), requests.join('\n'));
  });

  it('is ended by its cluster after what the plan can take, waits, faults and what they need to take hold and to be over', () => {
    const fault = { kind: 'do' as const, fault: 'gateway-black-hole', region: 'east' };
    const plan: Plan = { ...planOf({ workers: 1 }), durationSeconds: 60, steps: [fault, { kind: 'wait', seconds: 3600 }, { kind: 'expect', objective: 'produce.failed=0' }, { ...fault, forSeconds: 500.5 }] };
    assert.equal(longestLoadSeconds(plan), 30 + 20 + 300 + 3600 + 501 + 300);
    assert.equal(longestLoadSeconds({ ...plan, durationSeconds: 86_400, steps: [fault] }), 86_400);
    const { job } = workerObjects({ plan, tier1: { tier1Address: tier1 }, hostname: 'h', regions: [], proxiesRepeat: false, beganAt: 0 }, 'ns', false);
    assert.equal(job.spec?.activeDeadlineSeconds, longestLoadSeconds(plan) + 900);
  });

  it('is a pod of an Indexed Job without a sidecar, with its program below the limit of a ConfigMap', () => {
    const { job, configMap } = workerObjects({ plan: planOf({ workers: 3 }), tier1: { tier1Address: tier1 }, hostname: 'h', regions: [], proxiesRepeat: false, beganAt: 0 }, 'ns', false);
    assert.deepEqual([job.spec?.completionMode, job.spec?.completions, job.spec?.parallelism, job.spec?.backoffLimit], ['Indexed', 3, 3, 0]);
    assert.equal(job.spec?.template.metadata?.annotations?.['sidecar.istio.io/inject'], 'false');
    assert.ok(JSON.stringify(configMap).length < 1 << 20);
    const items = job.spec.template.spec?.volumes?.[0]?.configMap?.items ?? [];
    assert.deepEqual(items.map(({ key }) => key), Object.keys(configMap.data ?? {}));
    assert.ok(Object.keys(configMap.data ?? {}).every((key) => /^[-._a-zA-Z0-9]+$/.test(key)));
  });

  it('is a pod that a restricted namespace with a quota takes, as a user that the cluster gives it or as one that is not root', () => {
    for (const [givesUsers, user] of [[false, { runAsUser: 1000 }], [true, {}]] as const) {
      const { job } = workerObjects({ plan: planOf({ workers: 1 }), tier1: { tier1Address: tier1 }, hostname: 'h', regions: [], proxiesRepeat: false, beganAt: 0 }, 'ns', givesUsers);
      const { securityContext, containers: [container] = [] } = job.spec?.template.spec ?? {};
      assert.deepEqual(securityContext, { runAsNonRoot: true, ...user, seccompProfile: { type: 'RuntimeDefault' } });
      assert.deepEqual(container?.securityContext, { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
      assert.deepEqual(container.resources, { requests: { cpu: '100m', memory: '128Mi' } });
    }
  });

  it('runs the image that is asked for', () => {
    const imageOf = (load: Partial<LoadPlan>): string | undefined => workerObjects({ plan: planOf({ workers: 1, ...load }), tier1: { tier1Address: tier1 }, hostname: 'h', regions: [], proxiesRepeat: false, beganAt: 0 }, 'ns', false).job.spec?.template.spec?.containers[0]?.image;
    assert.deepEqual([imageOf({}), imageOf({ workerImage: 'registry.example:5000/node:24' })], ['docker.io/library/node:24-alpine', 'registry.example:5000/node:24']);
  });
});
