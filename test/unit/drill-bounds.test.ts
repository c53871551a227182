import assert from 'node:assert/strict';
import { faultNames } from '../../automation/drill/faults/names.ts';
import type { AppliedConfiguration } from '../../automation/drill/plan.ts';
import { objectName } from '../../automation/drill/predict/configuration.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Report, Stored } from '../../automation/drill/report.ts';
import { renderHtml } from '../../automation/drill/show/html.ts';
import { renderJunit } from '../../automation/drill/show/junit.ts';
import { renderMarkdown } from '../../automation/drill/show/markdown.ts';
import { renderTable } from '../../automation/drill/table.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { mustFitSchema } from '../fixtures/verdict.ts';

const hop = {
  connectTimeoutMs: 500, mergeWindowMs: 0, retryOn: 'connect-failure,refused-stream', retryAttempts: 2, retryBackoffMs: 25, consecutiveLocalOriginFailures: 1, consecutiveGatewayErrors: 1,
  healthCheckIntervalMs: 250, healthCheckTimeoutMs: 250, healthCheckUnhealthyThreshold: 2, healthCheckPath: '/topics', pingIntervalMs: 250, pingTimeoutMs: 1000,
};
const bridge = { deliveryTimeoutMs: 8000, sessionTimeoutMs: 6000, heartbeatIntervalMs: 2000, replicas: 1 };
const objects = [objectName.bridge('east'), objectName.bridge('west'), objectName.upstream('east'), objectName.upstream('west'), objectName.tier1, objectName.kafka];
const read: AppliedConfiguration = Object.fromEntries(objects.map((name) => [name, name.endsWith('bridge') && !name.includes('→') ? bridge : name === objectName.kafka ? {} : hop]));
const forbidden: AppliedConfiguration = Object.fromEntries(objects.map((name) => [name, { unreadable: `${name}: 403 Forbidden` }]));

/** Of a run with these settings, of whose gaps nobody said how long they may be. */
function judged(configuration: AppliedConfiguration | undefined, change: (stored: Stored) => void = () => undefined): Report {
  const stored = passingRun();
  delete stored.run.plan.objectives;
  Object.assign(stored.run, configuration === undefined ? {} : { configuration });
  change(stored);
  const report = judge(stored);
  mustFitSchema(report);
  return report;
}

const under = (fault: string) => ({ run }: Stored): void => {
  run.plan.fault = fault;
  for (const mark of run.faults) mark.fault = fault;
};

/** What would have been answered in the time is, right after it. */
const gap = (fromMs: number, toMs: number) => ({ attempts }: Stored): void => {
  for (const attempt of attempts) if (attempt.endMs > fromMs && attempt.endMs < toMs) attempt.endMs = toMs + (attempt.endMs - fromMs) / 1000;
  attempts.sort((a, b) => a.endMs - b.endMs);
};

const missed = ({ objectives }: Report): string[] => objectives.filter(({ met }) => !met).map(({ name }) => name);

describe('a gap that nothing bounds', () => {
  it('leaves a drill inconclusive where the settings could not be read', () => {
    for (const [configuration, reason] of [[undefined, 'no settings were read'], [{}, 'the settings of the gateway could not be read'], [forbidden, 'the settings of the gateway could not be read (east gateway → bridge: 403 Forbidden)']] as const) {
      const report = judged(configuration, gap(12_000, 21_500));
      assert.deepEqual([report.verdict, missed(report)], ['inconclusive', ['condition.produceBound', 'condition.consumeBound']]);
      const why = report.objectives.find(({ name }) => name === 'condition.produceBound')?.why ?? '';
      assert.ok(why.startsWith(`${reason}, so that the longest gap of requests, ${Math.round(report.produce.blackoutMs ?? 0)} ms, was held against nothing: `) && why.endsWith('such as --objective \'produce.blackoutMs<=2s\''), why);
      assert.ok(renderMarkdown(report).replaceAll('\\', '').includes(`neither that failover works nor that it does not: ${why}`));
    }
  });

  it('is that of consumers, where only their settings could not be read', () => {
    const report = judged({ ...read, [objectName.bridge('east')]: { unreadable: '403' } }, ({ deliveries }) => {
      for (const delivery of deliveries) if (delivery.tMs > 12_000 && delivery.tMs < 27_000) delivery.tMs = 27_000;
    });
    assert.deepEqual([report.verdict, missed(report)], ['inconclusive', ['condition.consumeBound']]);
  });

  it('is one that a person bounds from above, and then judged by that', () => {
    const asked = (...objectives: string[]): [string, string[]] => {
      const report = judged(forbidden, (stored) => {
        gap(12_000, 21_500)(stored);
        stored.run.plan.objectives = objectives;
      });
      return [report.verdict, missed(report)];
    };
    assert.deepEqual(asked('produce.blackoutMs<=10s', 'consume.blackoutMs<10s'), ['pass', []]);
    assert.deepEqual(asked('produce.blackoutMs<=2s', 'consume.blackoutMs<=10s'), ['fail', ['produce.blackoutMs']]);
    assert.deepEqual(asked('produce.blackoutMs<=10s'), ['inconclusive', ['condition.consumeBound']]);
    assert.deepEqual(asked('produce.blackoutMs>=1', 'consume.blackoutMs<=10s'), ['inconclusive', ['condition.produceBound']]);
  });

  it('changes no verdict of a drill that failed', () => {
    const report = judged(forbidden, ({ log, attempts, deliveries }) => {
      Object.assign(attempts[1200] ?? {}, { outcome: 'failed', class: 'refused' });
      for (const lines of [log, deliveries]) lines.splice(1200, 1);
    });
    assert.deepEqual([report.verdict, missed(report)], ['fail', ['condition.produceBound', 'condition.consumeBound', 'produce.failed']]);
  });

  it('is no matter where the settings were read, whether they bound it or not', () => {
    const bounds = (name: string, configuration = read): string[] => missed(judged(configuration, under(name))).filter((missing) => missing.endsWith('Bound'));
    for (const name of faultNames) assert.deepEqual(bounds(name), [], name);
    const weighted = { ...read, [objectName.tier1]: { ...hop, weighted: true } };
    assert.deepEqual(bounds('gateway-kill', weighted), []);
    assert.deepEqual(bounds('bridge-scale-0', { ...read, [objectName.upstream('east')]: { ...hop, retryAttempts: 0 } }), []);
  });

  it('is no matter where no setting is a term of it', () => {
    for (const name of ['api-server-down', 'istiod-down', 'operator-down', 'tier1-restart', 'fail-back']) assert.deepEqual(missed(judged(forbidden, under(name))), [], name);
  });

  it('is one also where another fault of the plan has no bound by what it is', () => {
    const report = judged(forbidden, ({ run }) => {
      run.faults.push({ ...run.faults[0] ?? assert.fail(), fault: 'bridge-slow', expects: {} });
    });
    assert.deepEqual([report.verdict, missed(report)], ['inconclusive', ['condition.produceBound', 'condition.consumeBound']]);
  });
});

describe('a gap that is longer than predicted', () => {
  const predictedMs = judged(read).predicted?.produceBlackoutMs ?? assert.fail('no bound');
  const longer = (by: number): Report => judged(read, gap(15_000, 15_000 + predictedMs * by));
  const found = (report: Report): string | undefined => report.objectives.find(({ name }) => name === 'prediction.produceBlackoutMs')?.why;

  it('is a finding up to the tolerance, and a failure beyond it', () => {
    const why = (report: Report): string => `longer than predicted by ${Math.round(((report.produce.blackoutMs ?? 0) - predictedMs) * 10) / 10} ms, which is borne, but nothing in the settings explains it`;
    for (const by of [1.2, 1.4]) {
      const report = longer(by);
      assert.deepEqual([report.verdict, missed(report)], ['pass', []]);
      assert.ok(found(report)?.startsWith(why(report)), found(report));
    }
    assert.deepEqual([found(longer(0.9)), missed(longer(0.9))], [undefined, []]);
    assert.deepEqual([longer(1.6).verdict, missed(longer(1.6))], ['fail', ['prediction.produceBlackoutMs']]);
  });

  it('is shown as such wherever the report is', () => {
    const [report, within] = [longer(1.3), longer(0.9)];
    const why = /longer than predicted by \d+(\.\d)? ms/;
    assert.match(renderTable(report), /\n {2}FOUND {4}prediction\.produceBlackoutMs: measured \S+, longer than predicted by/);
    assert.match(renderHtml(report), /<section id="verdict"[^]*The longest time without an acknowledgement was [^<]*, longer than predicted by/);
    assert.match(renderHtml(report), /<span class="name quiet">prediction\.produceBlackoutMs<\/span><span class="why">longer than predicted by[^]*?✓ met, with a finding/);
    assert.match(renderHtml(report), /✓ longer by [\d,]+ ms, within tolerance/);
    assert.match(renderMarkdown(report), /## Found, though met\n\n- [^\n]*`prediction\.produceBlackoutMs`: longer than predicted by/);
    assert.match(renderJunit(report), /name="prediction\.produceBlackoutMs">\n {6}<system-out>[^<]*longer than predicted by[^<]*<\/system-out>\n {4}<\/testcase>/);
    assert.match(renderJunit(report), /failures="0" errors="0"/);
    for (const text of [renderTable(within), renderHtml(within), renderMarkdown(within), renderJunit(within)]) assert.doesNotMatch(text, why);
  });
});
