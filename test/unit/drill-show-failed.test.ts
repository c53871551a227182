import assert from 'node:assert/strict';
import { exitCodeOf } from '../../automation/drill/exit-code.ts';
import { renderHtml } from '../../automation/drill/show/html.ts';
import { renderJunit } from '../../automation/drill/show/junit.ts';
import { renderMarkdown } from '../../automation/drill/show/markdown.ts';
import { summary } from '../../automation/drill/show/summary.ts';
import { reports } from '../fixtures/drill-reports.ts';
import { testCases } from '../fixtures/junit-cases.ts';

const made = (name: string): ReturnType<NonNullable<typeof reports[string]>> => reports[name]?.() ?? assert.fail(`no report ${name}`);

describe('what shows a drill of several faults', () => {
  const both = 'bridge-kill of frankfurt-production-eu-central-1, then gateway-black-hole of tokyo';
  const missedOf = (name: string, measured: number): ReturnType<typeof made> => {
    const report = made('three regions');
    return { ...report, verdict: 'fail', objectives: [...report.objectives.filter((objective) => objective.name !== name), { name, limit: '= 0', measured, met: false }] };
  };

  it('names each of them, wherever it says what the drill was of', () => {
    const report = made('three regions');
    assert.match(summary(report)[0] ?? '', new RegExp(`^Failover hid ${both} from clients`));
    assert.match(summary({ ...report, verdict: 'fail' })[0] ?? '', new RegExp(`^Under ${both}, failover missed`));
    assert.ok(renderHtml(report).includes(`<h1>Failover drill: ${both}</h1>`));
    assert.match(renderMarkdown(report), new RegExp(`^# Failover drill: ${both}\n`));
    const xml = renderJunit(report);
    assert.ok(xml.includes(`<testsuite name="failover drill: ${both}, production"`));
    assert.ok(xml.includes('classname="drill.bridge-kill+gateway-black-hole"'));
    assert.ok(xml.includes('<property name="fault" value="bridge-kill, then gateway-black-hole"/>') && xml.includes('<property name="region" value="frankfurt-production-eu-central-1, then tokyo"/>'));
  });

  it('says of a missed objective which of them it is of', () => {
    for (const [name, words] of [
      ['regions.tokyo.during.2', 'share of the requests that tokyo served during fault 2 (gateway-black-hole of tokyo)'],
      ['regions.tokyo+virginia.during', 'share of the requests that tokyo+virginia served during fault 1 (bridge-kill of frankfurt-production-eu-central-1)'],
      ['condition.samples.after.2', 'requests after fault 2 (gateway-black-hole of tokyo)'],
      ['condition.faultLasted.2', 'how long fault 2 (gateway-black-hole of tokyo) lasted, of which another region was to take over'],
      ['produce.blackoutMs', 'longest time without an acknowledgement, from fault 1 (bridge-kill of frankfurt-production-eu-central-1) on'],
      ['condition.faultTookHold', 'every fault was seen from outside'],
    ] as const) {
      const report = missedOf(name, 0.81);
      assert.equal(testCases(renderJunit(report)).find((one) => one.name === name)?.text.split(': wanted')[0], words);
      for (const text of [renderHtml(report), renderMarkdown(report).replaceAll('\\', '')]) assert.ok(text.includes(words), `${name} in ${text.slice(0, 20)}`);
    }
    assert.match(summary(missedOf('regions.tokyo.during.2', 0.81))[0] ?? '', /Share of the requests that tokyo served during fault 2 \(gateway-black-hole of tokyo\): 81 % \(wanted 0 %\)/);
  });

  it('says that the shares of regions are around the first', () => {
    const around = 'around fault 1 (bridge-kill of frankfurt-production-eu-central-1)';
    assert.ok(renderHtml(made('three regions')).includes(`what failed was served by none; ${around}</caption>`));
    assert.ok(renderMarkdown(made('three regions')).includes(`## Who served\n\nShares are ${around.replaceAll('_', '\\_')}.\n\n|`));
    assert.doesNotMatch(renderHtml(made('failed')) + renderMarkdown(made('failed')), /around fault/);
  });
});

describe('what shows a drill that failed and was not what it had to be', () => {
  const waited = { name: 'condition.connectionWaitP50Ms', limit: '<= 100', measured: 150, met: false };
  const failed = made('failed');
  const report = { ...failed, objectives: [waited, ...failed.objectives] };

  it('counts as missed what failover missed, damage first, and says the other in a sentence of its own', () => {
    const [first, second] = summary(report);
    assert.match(first ?? '', /^Under bridge-kill of east, failover missed 4 objectives\. Records that were acknowledged, and are not in the log: 2 \(wanted 0\)\. .* 2 more below\.$/);
    assert.equal(second, 'Besides, the drill was not what it had to be: how long the typical request waited for a connection of the load before the fault: 150 ms, wanted ≤ 100 ms.');
    assert.equal(exitCodeOf(report), 3);
    assert.match(renderJunit(report), /<testsuites tests="\d+" failures="4" errors="2"/);
    assert.ok(!summary(failed).some((text) => text.startsWith('Besides')));
  });

  it('lists damage before conditions', () => {
    assert.match(renderMarkdown(report), /\| not met .*\n\|.*\n\| .*`log\.ackedLost`.*\n\| .*`condition\.connectionWaitP50Ms`/);
  });

  it('says why it was ended, where it was', () => {
    const ended = { ...failed, reason: 'no region served a request for 10 s', objectives: [{ name: 'condition.carriedOut', limit: 'every phase of the drill was carried out', measured: 'no region served a request for 10 s', met: false }, ...failed.objectives] };
    assert.equal(summary(ended)[1], 'Besides, the drill was not what it had to be: no region served a request for 10 s.');
  });
});
