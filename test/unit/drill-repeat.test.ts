import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureBound, median, medianInterval, shareBelowWorst } from '../../automation/drill/confidence.ts';
import { planOf } from '../../automation/drill/options.ts';
import type { DrillOptions } from '../../automation/drill/options.ts';
import { renderRepeat, repeatDrill, summarize } from '../../automation/drill/repeat.ts';
import type { RepeatSummary } from '../../automation/drill/repeat.ts';
import { driverEnded, judge } from '../../automation/drill/report.ts';
import type { Report, RunRecord } from '../../automation/drill/report.ts';
import { UserError } from '../../errors.ts';
import { renderSeries } from '../../automation/drill/show/series.ts';
import { seriesRuns } from '../fixtures/drill-series.ts';
import { passingRun } from '../fixtures/passing-run.ts';

const near = (actual: number | undefined, wanted: number): void => { assert.ok(Math.abs((actual ?? NaN) - wanted) < 0.0005, `${actual} instead of ${wanted}`); };

describe('confidence', () => {
  it('in a share of failures is the bound of Clopper and Pearson', () => {
    // The rule of three, and values of published tables (one-sided 95 %).
    near(failureBound(20, 0), 0.1391);
    near(failureBound(100, 0), 0.0295);
    near(failureBound(10, 1), 0.3942);
    near(failureBound(20, 2), 0.2826);
    assert.deepEqual([failureBound(5, 5), failureBound(0, 0)], [1, 1]);
  });

  it('in a median is an interval between order statistics', () => {
    const values = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
    // The table of the sign test: n 6 takes the extremes, n 10 the second, n 20 the sixth from either end.
    assert.equal(medianInterval(values(5)), undefined);
    for (const [n, from, to, confidence] of [[6, 1, 6, 0.9688], [10, 2, 9, 0.9785], [20, 6, 15, 0.9586], [25, 8, 18, 0.9567]] as const) {
      const interval = medianInterval(values(n));
      assert.deepEqual([interval?.from, interval?.to], [from, to]);
      near(interval?.confidence, confidence);
    }
    // Of many it is the normal distribution's: 1.96 · √n / 2 from the middle on either side.
    for (const n of [1074, 1075, 20_000]) {
      const interval = medianInterval(values(n));
      assert.ok((interval?.confidence ?? 0) >= 0.95 && (interval?.confidence ?? 1) < 0.957, JSON.stringify(interval));
      assert.ok(Math.abs((interval?.from ?? NaN) - (n / 2 - 0.98 * Math.sqrt(n))) < 1.5 && interval?.to === n + 1 - (interval?.from ?? NaN), JSON.stringify(interval));
    }
  });

  it('holds as often as it says', () => {
    // Runs that fail with the probability of the bound itself: none of 20 fails in 5 % of all series.
    near((1 - failureBound(20, 0)) ** 20, 0.05);
    near(shareBelowWorst(20), 1 - 0.1391);
    assert.deepEqual([median([1, 2, 9]), median([1, 3]), median([])], [2, 2, undefined]);
  });
});

function reportWith(seed: number, verdict: Report['verdict'] = 'pass', blackoutMs = seed): Report {
  const report = judge(passingRun());
  return { ...report, verdict, plan: { ...report.plan, seed }, produce: { ...report.produce, blackoutMs } };
}

const region = { context: 'east', namespace: 'kafka-bridge', bridge: 'bridge', gatewayAddress: '10.0.0.1' };
const outputs = { hostname: 'bridge.example', tier1Address: '127.0.0.1', kafka: { bootstrapServers: '127.0.0.1:1' }, regions: [{ ...region, name: 'east' }, { ...region, name: 'west' }] };
const broken = { name: 'produce.failed', limit: '= 0', measured: 40, met: false };

/** As a run leaves them in its directory. */
function leave(directory: string, report: Report, run: Partial<RunRecord> = {}): void {
  mkdirSync(directory);
  writeFileSync(join(directory, 'report.json'), JSON.stringify(report));
  const { plan } = report;
  const { run: passed } = passingRun();
  const faults = plan.steps.flatMap((step) => (step.kind === 'do' ? [{ ...passed.faults[0], fault: step.fault, region: step.region }] : []));
  const steps = plan.steps.flatMap((step) => (step.kind === 'wait' ? [] : [{ kind: step.kind, text: step.kind === 'do' ? `${step.fault} of ${step.region}` : step.objective, startMs: 11_000 }]));
  writeFileSync(join(directory, 'run.json'), JSON.stringify({ ...passed, plan, faults, steps, stored: { attempts: 0, deliveries: 0, commits: 0, log: 0 }, ...run }));
}

describe('a series of drills', () => {
  let reportDir: string;
  beforeEach(() => { reportDir = mkdtempSync(join(tmpdir(), 'kbf-repeat-')); });
  afterEach(() => { rmSync(reportDir, { recursive: true }); });

  const series = async (repeat: number, once: (seed: number) => [Report['verdict'], number, Partial<Report>?], more: Partial<DrillOptions> = {}): Promise<{ seeds: number[]; exitCode: number; summary: RepeatSummary }> => {
    const seeds: number[] = [];
    const options: DrillOptions = { outputs, environment: 'dev', kubeconfig: '/none', stateDir: '/none', reportDir, ...more };
    const { summary, exitCode } = await repeatDrill(options, { repeat, seed: 7 }, (run) => {
      seeds.push(run.seed ?? -1);
      const [verdict, code, of = {}] = once(run.seed ?? -1);
      const report = { ...reportWith(run.seed ?? -1, verdict), plan: planOf(run).plan, ...of };
      if (verdict === 'aborted' && code === 3) report.objectives = [...report.objectives, broken];
      leave(run.reportDir, report, code === 130 ? { interrupted: true } : {});
      return Promise.resolve({ report, exitCode: code });
    });
    return { seeds, exitCode, summary };
  };

  it('has a directory and a seed for each, and a summary over all', async () => {
    const { seeds, exitCode, summary } = await series(3, () => ['pass', 0]);
    assert.deepEqual([seeds, exitCode], [[7, 8, 9], 0]);
    assert.deepEqual(summary.runs.map(({ directory }) => directory), ['run-001', 'run-002', 'run-003']);
    assert.deepEqual(JSON.parse(readFileSync(join(reportDir, 'repeat.json'), 'utf8')), summary);
    assert.match(readFileSync(join(reportDir, 'repeat.html'), 'utf8'), /<title>Passed: 3 drills[^]*href="run-003\/report\.html"/);
    assert.match(readFileSync(join(reportDir, 'junit.xml'), 'utf8'), /, run-003"/);
    assert.deepEqual(summary.figures.find(({ name }) => name === 'produce.blackoutMs'), { name: 'produce.blackoutMs', unit: 'ms', runs: 3, median: 8, worst: 9 });
  });

  it('goes on where it was interrupted, and puts aside what was cut off', async () => {
    const stop = new AbortController();
    const first = await series(4, (seed) => {
      if (seed < 9) return ['pass', 0];
      stop.abort();
      return ['aborted', 130];
    }, { signal: stop.signal });
    assert.deepEqual([first.seeds, first.exitCode, first.summary.runs.length], [[7, 8, 9], 130, 2]);
    mkdirSync(join(reportDir, 'run-004'));
    const second = await series(4, () => ['pass', 0]);
    assert.deepEqual([second.seeds, second.exitCode, second.summary.runs.length], [[9, 10], 0, 4]);
    assert.ok(existsSync(join(reportDir, 'run-003-cut-1')) && existsSync(join(reportDir, 'run-004-cut-1')));
  });

  it('runs again what was judged of a driver that was killed', async () => {
    leave(join(reportDir, 'run-001'), reportWith(7, 'inconclusive'), { ending: driverEnded });
    const { seeds, exitCode } = await series(2, () => ['pass', 0]);
    assert.deepEqual([seeds, exitCode], [[7, 8], 0]);
    assert.ok(existsSync(join(reportDir, 'run-001-cut-1')));
  });

  for (const exitCode of [3, 4] as const) {
    it(`counts a drill that ended itself with ${exitCode}, and does not run it again`, async () => {
      const first = await series(2, (seed) => (seed === 7 ? ['aborted', exitCode] : ['pass', 0]));
      assert.deepEqual([first.seeds, first.exitCode], [[7, 8], exitCode]);
      const second = await series(3, () => ['pass', 0]);
      assert.deepEqual([second.seeds, second.exitCode, second.summary.counts], [[9], exitCode, { pass: 2, fail: 0, inconclusive: 0, aborted: 1 }]);
    });
  }

  it('shows nothing where its first drill was interrupted', async () => {
    assert.equal((await series(2, () => ['aborted', 130])).exitCode, 130);
    assert.deepEqual([existsSync(join(reportDir, 'repeat.json')), existsSync(join(reportDir, 'repeat.html')), existsSync(join(reportDir, 'junit.xml'))], [true, false, false]);
  });

  it('ends with the worst of its verdicts', async () => {
    assert.equal((await series(3, (seed) => (seed === 8 ? ['inconclusive', 4] : ['pass', 0]))).exitCode, 4);
    rmSync(join(reportDir, 'run-001'), { recursive: true });
    assert.equal((await series(3, () => ['fail', 3])).exitCode, 3);
  });

  it('is refused where the directory holds other drills', async () => {
    leave(join(reportDir, 'run-001'), { ...reportWith(3), plan: planOf({ outputs, environment: 'dev', kubeconfig: '/none', stateDir: '/none', reportDir, seed: 3 }).plan });
    await assert.rejects(series(2, () => ['pass', 0]), (error) => error instanceof UserError && error.exitCode === 2 && /another drill \(seed 3\)/.test(error.message));
  });

  const asked: Partial<DrillOptions> = { fault: 'bridge-kill', objectives: ['produce.failed<=4'], load: { retry: 'always' }, consumers: { count: 3 } };
  for (const [what, more, named] of [
    ['fault', { ...asked, fault: 'bridge-hang' }, 'fault bridge-kill, steps [{"kind":"do","fault":"bridge-kill","region":"east"}]'],
    ['region', { ...asked, region: 'west' }, 'region east, steps [{"kind":"do","fault":"bridge-kill","region":"east"}]'],
    ['length of its steps', { ...asked, steps: [{ kind: 'do', fault: 'bridge-kill', forSeconds: 5 }] }, 'steps [{"kind":"do","fault":"bridge-kill","region":"east"}]'],
    ['duration', { ...asked, durationSeconds: 60 }, 'durationSeconds 30'],
    ['number of connections', { ...asked, connections: 4 }, 'connections 16'],
    ['mode of consumers', { ...asked, consumers: { count: 3, mode: 'assign' } }, 'consumers {"count":3,"mode":"subscribe"}'],
    ['number of workers', { ...asked, load: { retry: 'always', workers: 2 } }, 'load {"pattern":"constant","payloadBytes":0,"keyDistribution":"uniform","format":"json","retry":"always","workers":0}'],
    ['objective', { ...asked, objectives: ['produce.failed<=9'] }, 'objectives ["produce.failed<=4"]'],
    ['share of errors', { ...asked, abortAfterErrors: 1 }, 'abortAfterErrors 0.5'],
    ['environment', { ...asked, environment: 'prod' }, 'environment dev'],
  ] as const satisfies [string, Partial<DrillOptions>, string][]) {
    it(`does not take for its own a drill of another ${what}, and names it`, async () => {
      await series(1, () => ['pass', 0], asked);
      await assert.rejects(series(2, () => ['pass', 0], more), { exitCode: 2, message: `${join(reportDir, 'run-001')} holds the report of another drill (${named})` });
      assert.deepEqual((await series(2, () => ['pass', 0], asked)).seeds, [8]);
    });
  }

  it('does not take for its own a drill without its objectives', async () => {
    await series(1, () => ['pass', 0]);
    await assert.rejects(series(1, () => ['pass', 0], { objectives: ['produce.failed=0'] }), /another drill \(no objectives\)/);
  });

  const stackOf = (ejectionMs: number, more: Partial<Report> = {}): Partial<Report> => ({ configuration: { 'tier1 → regions': { ejectionMs }, 'Kafka': { unreadable: 'no answer' } }, parts: { envoy: { kind: 'real', version: '1.40.0' } }, ...more });

  it('keeps out of it what was run on a stack with other settings, and loses nothing of that', async () => {
    await series(2, () => ['pass', 0, stackOf(2000)]);
    await assert.rejects(series(4, () => ['pass', 0, stackOf(300_000)]), (error) => error instanceof UserError && error.exitCode === 1
      && error.message.startsWith('the stack is not what it was in run-001 any more (tier1 → regions: ejectionMs 2000, then 300000)') && error.message.includes(join(reportDir, 'run-003-other-1')));
    assert.deepEqual([existsSync(join(reportDir, 'run-003')), existsSync(join(reportDir, 'run-003-other-1', 'report.json'))], [false, true]);
    assert.equal((JSON.parse(readFileSync(join(reportDir, 'repeat.json'), 'utf8')) as RepeatSummary).runs.length, 2);
    const { seeds, summary } = await series(4, () => ['pass', 0, stackOf(2000)]);
    assert.deepEqual([seeds, summary.runs.length], [[9, 10], 4]);
  });

  it('is refused where its runs were on stacks with other settings or versions', async () => {
    const plan = (seed: number): Report['plan'] => planOf({ outputs, environment: 'dev', kubeconfig: '/none', stateDir: '/none', reportDir, seed }).plan;
    leave(join(reportDir, 'run-001'), { ...reportWith(7), ...stackOf(2000), plan: plan(7) });
    leave(join(reportDir, 'run-003'), { ...reportWith(9), ...stackOf(2000, { parts: { envoy: { kind: 'real', version: '1.41.0' } } }), plan: plan(9) });
    await assert.rejects(series(4, () => ['pass', 0]), { exitCode: 2, message: `${join(reportDir, 'run-003')} holds the report of another drill than run-001: its stack was another one (envoy: 1.40.0 (real), then 1.41.0 (real))` });
    assert.ok(existsSync(join(reportDir, 'run-003', 'report.json')));
  });

  it('takes for the same what only one of two runs could read', async () => {
    await series(1, () => ['pass', 0, stackOf(2000)]);
    const others: Partial<Report>[] = [{ configuration: { 'tier1 → regions': { unreadable: 'no answer' }, 'Kafka': { brokerSessionTimeoutMs: 9000 } }, parts: {} }, stackOf(2000, { parts: { kafka: { kind: 'real', version: '4.1.1' } } })];
    assert.equal((await series(3, (seed) => ['pass', 0, others[seed - 8] ?? {}])).summary.runs.length, 3);
  });

  it('says how many runs are kept, and of when', async () => {
    const told: string[] = [];
    const onEvent: DrillOptions['onEvent'] = (event) => { if (event.kind === 'phase') told.push(event.detail ?? ''); };
    const at = (startedAt: string) => (): ['pass', 0, Partial<Report>] => ['pass', 0, { startedAt }];
    await series(1, at('2026-01-01T10:00:00.123Z'), { onEvent });
    await series(2, at('2026-01-02T10:00:00.123Z'), { onEvent });
    assert.deepEqual((await series(2, () => assert.fail('a drill was run'), { onEvent })).seeds, []);
    assert.deepEqual(told, ['1 of 2 runs were there already, of 2026-01-01T10:00:00Z; they are kept, the others are run', 'all 2 runs were there already, of 2026-01-01T10:00:00Z to 2026-01-02T10:00:00Z; nothing was run']);
  });

  it('goes on by a plan of its own', async () => {
    const steps: DrillOptions['steps'] = [{ kind: 'wait', seconds: 1 }, { kind: 'do', fault: 'bridge-kill' }, { kind: 'expect', objective: 'produce.failed<=4' }];
    await series(1, () => ['pass', 0], { steps });
    const { seeds, exitCode } = await series(2, () => ['pass', 0], { steps });
    assert.deepEqual([seeds, exitCode], [[8], 0]);
  });

  it('counts among those that broke an objective a drill that had when it ended itself, whose figures are of a part of it', () => {
    const runs = Array.from({ length: 21 }, (_, i) => ({ directory: `run-${i}`, seed: i, report: reportWith(i, i === 3 || i === 4 ? 'aborted' : 'pass', 10 + i) }));
    runs[3]?.report.objectives.push(broken);
    const { figures, confidence } = summarize(runs);
    assert.equal(figures.find(({ name }) => name === 'produce.blackoutMs')?.runs, 19);
    assert.match(confidence[0] ?? '', /^1 of 20 runs broke an objective: .* of all such drills that answer their question do \(.* n 20, k 1\); 1 of these 21 drills did not answer theirs\.$/);
    for (const sentence of confidence.slice(1)) assert.match(sentence, /of all such drills that run to their end and answer their question (is|have) .*; 2 of these 21 drills did not\.$/);
  });

  it('leaves out the figures of a drill that ended itself also where its data was damaged', () => {
    const runs = Array.from({ length: 4 }, (_, i) => ({ directory: `run-${i}`, seed: i, report: { ...reportWith(i, i === 3 ? 'fail' : 'pass', i === 3 ? 9999 : 10), ...(i === 3 ? { reason: 'no region served' } : {}) } }));
    const { figures, confidence } = summarize(runs);
    const gap = figures.find(({ name }) => name === 'produce.blackoutMs');
    assert.deepEqual([gap?.runs, gap?.worst], [3, 10]);
    assert.match(confidence[0] ?? '', /^1 of 4 runs broke an objective/);
    assert.match(confidence.at(-1) ?? '', /of all such drills that run to their end and answer their question have .*; 1 of these 4 drills did not\.$/);
  });

  it('leaves out the figures of a drill that damaged data under a fault that never took hold, and counts it among those that broke an objective', () => {
    const runs = Array.from({ length: 4 }, (_, i) => {
      const stored = passingRun();
      if (i > 0) stored.log.splice(1500, 1);
      if (i > 1) for (const marks of [stored.run.marks, ...stored.run.faults]) delete marks.tookHoldMs;
      if (i === 1) delete stored.run.marks.recoveredMs;
      return { directory: `run-${i}`, seed: i, report: judge(stored) };
    });
    assert.deepEqual(runs.map(({ report }) => report.verdict), ['pass', 'fail', 'fail', 'fail']);
    const { figures, confidence } = summarize(runs);
    assert.equal(figures.find(({ name }) => name === 'produce.blackoutMs')?.runs, 2);
    assert.match(confidence[0] ?? '', /^3 of 4 runs broke an objective/);
    for (const sentence of confidence.slice(2)) assert.match(sentence, /of all such drills that run to their end and answer their question have .*; 2 of these 4 drills did not\.$/);
  });

  it('says what follows, over those that answered their question', () => {
    const runs = Array.from({ length: 22 }, (_, i) => ({ directory: `run-${i}`, seed: i, report: reportWith(i, i >= 20 ? 'inconclusive' : i === 3 ? 'fail' : 'pass', 10 + i) }));
    const summary = summarize(runs);
    assert.deepEqual(summary.counts, { pass: 19, fail: 1, inconclusive: 2, aborted: 0 });
    assert.deepEqual(summary.confidence, [
      '1 of 20 runs broke an objective: with 95 % confidence fewer than 21.6 % of all such drills that answer their question do (Clopper and Pearson\'s upper bound, n 20, k 1); 2 of these 22 drills did not answer theirs.',
      'The median gap of all such drills that run to their end and answer their question is between 15 ms and 24 ms with 95.9 % confidence (order statistics of 20 runs); 2 of these 22 drills did not.',
      'With 95 % confidence at least 86.1 % of all such drills that run to their end and answer their question have no gap above 29 ms, the worst of these (0.05^(1/20)); 2 of these 22 drills did not.',
    ]);
    const text = renderRepeat(summary);
    assert.match(text, /22 runs: 19 pass, 1 fail, 2 inconclusive/);
    assert.match(text, /produce\.blackoutMs +20 ms +29 ms +20\n/);
    assert.match(text, /run-3 \(seed 3\): fail/);
    assert.deepEqual(summarize([]).confidence, ['No run answered its question.']);
  });

  it('says on a terminal why runs did not pass, in the words of the page', () => {
    const runs = seriesRuns(['passed', 'failed', 'inconclusive', 'aborted']);
    runs[2]?.report.objectives.unshift({ name: 'condition.connectionWaitP50Ms', limit: '<= 100', measured: 150, met: false });
    delete runs[2]?.report.reason;
    const text = renderRepeat(summarize(runs));
    assert.match(text, /^bridge-kill of east \(production\), 4 runs: 1 pass, 1 fail, 1 inconclusive, 1 aborted\n/);
    const said = text.match(/(?<=\n {2})run-.*/g) ?? [];
    assert.deepEqual(said, [
      'run-002 (seed 2): fail, records that were acknowledged, and are not in the log: 2, and 3 more',
      'run-003 (seed 3): inconclusive, how long the typical request waited for a connection of the load before the fault: 150 ms, wanted ≤ 100 ms.',
      'run-004 (seed 4): aborted, interrupted (SIGINT).',
    ]);
    const page = renderSeries(summarize(runs), runs);
    for (const line of said) assert.ok(page.includes(`>${line.replace(/^[^,]*, /, '')}<`), line);
  });

  it('says of a single run what it says of one', () => {
    const text = renderRepeat(summarize([{ directory: 'run-001', seed: 1, report: reportWith(1, 'fail') }]));
    assert.match(text, /\), 1 run: 1 fail\n/);
    assert.equal(renderRepeat(summarize([])), 'No drill of the series came to its end.\n');
    assert.match(text, /\n {2}1 of 1 run broke an objective: [^]*\n {2}1 run is too few for an interval of the median gap; it takes 6\./);
  });

  it('names every fault of its drills', () => {
    const runs = seriesRuns(['three regions']);
    const summary = summarize(runs);
    assert.deepEqual(summary.faults, [{ fault: 'bridge-kill', region: 'frankfurt-production-eu-central-1' }, { fault: 'gateway-black-hole', region: 'tokyo' }]);
    assert.match(renderRepeat(summary), /^bridge-kill of frankfurt-production-eu-central-1, then gateway-black-hole of tokyo \(production\), 1 run: 1 pass\n/);
  });

  it('has for the worst of what is better the more there is of it the least', () => {
    const runs = [3000, 2990].map((count, i) => {
      const report = reportWith(i);
      assert.ok(report.consume);
      return { directory: `run-${i}`, seed: i, report: { ...report, produce: { ...report.produce, ok: count, failed: count }, consume: { ...report.consume, delivered: count } } };
    });
    const { figures } = summarize(runs);
    assert.deepEqual(['produce.ok', 'consume.delivered', 'produce.failed'].map((name) => figures.find((figure) => figure.name === name)?.worst), [2990, 2990, 3000]);
  });

  it('says it of all drills where each answered its question', () => {
    const runs = Array.from({ length: 20 }, (_, i) => ({ directory: `run-${i}`, seed: i, report: reportWith(i, 'pass', 10 + i) }));
    assert.deepEqual(summarize(runs).confidence, [
      '0 of 20 runs broke an objective: with 95 % confidence fewer than 13.9 % of all such drills do (1 - 0.05^(1/20)).',
      'The median gap of all such drills is between 15 ms and 24 ms with 95.9 % confidence (order statistics of 20 runs).',
      'With 95 % confidence at least 86.1 % of all such drills have no gap above 29 ms, the worst of these (0.05^(1/20)).',
    ]);
  });

  it('says of a series in which every run failed how many do at least, as nothing says how many do at most', () => {
    const failed = (count: number): string | undefined => summarize(Array.from({ length: count }, (_, i) => ({ directory: `run-${i}`, seed: i, report: reportWith(i, 'fail') }))).confidence[0];
    assert.equal(failed(3), '3 of 3 runs broke an objective: with 95 % confidence more than 36.8 % of all such drills do (0.05^(1/3)).');
    assert.equal(failed(1), '1 of 1 run broke an objective: with 95 % confidence more than 5.0 % of all such drills do (0.05^(1/1)).');
  });
});
