import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { html } from '../../automation/drill/show/markup.ts';
import { renderHtml } from '../../automation/drill/show/html.ts';
import { shownFiles } from '../../automation/drill/show/index.ts';
import { renderJunit } from '../../automation/drill/show/junit.ts';
import { renderMarkdown } from '../../automation/drill/show/markdown.ts';
import { placed } from '../../automation/drill/show/moments.ts';
import { regionStyle } from '../../automation/drill/show/draw.ts';
import { consumptionSlotsOf, slotsOf } from '../../automation/drill/show/slots.ts';
import { summary } from '../../automation/drill/show/summary.ts';
import { limit, measured, ms, percent } from '../../automation/drill/show/words.ts';
import { hostileText, reports } from '../fixtures/drill-reports.ts';
import { testCases } from '../fixtures/junit-cases.ts';

const schema = JSON.parse(readFileSync(new URL('../../docs/report.schema.json', import.meta.url), 'utf8')) as object;
const validate = new Ajv2020({ allErrors: true }).compile(schema);
const made = (name: string): ReturnType<NonNullable<typeof reports[string]>> => reports[name]?.() ?? assert.fail(`no report ${name}`);

interface Described {
  description?: string;
  const?: unknown;
  properties?: Record<string, Described>;
  items?: Described;
  additionalProperties?: Described | boolean;
  oneOf?: Described[];
}

describe('what shows a report', () => {
  for (const name of Object.keys(reports)) {
    it(`is made of one that is ${name}, which fits the schema`, () => {
      const report = made(name);
      assert.ok(validate(report), JSON.stringify(validate.errors));
      const files = shownFiles(report, '{}\n');
      assert.deepEqual(Object.keys(files), ['report.md', 'junit.xml', 'report.html']);
      assert.ok((files['report.html']?.length ?? Infinity) < 1_000_000);
      assert.equal(testCases(files['junit.xml'] ?? '').length >= report.objectives.length, true);
    });
  }

  it('is the same whenever the same report is shown', () => {
    assert.deepEqual(shownFiles(made('failed'), '{}'), shownFiles(made('failed'), '{}'));
  });
});

describe('the schema of a report', () => {
  it('describes every field, with its unit where it has one', () => {
    const bare: string[] = [];
    const walk = (node: Described, where: string): void => {
      for (const [name, field] of Object.entries(node.properties ?? {})) {
        if (field.description === undefined && field.const === undefined) bare.push(`${where}.${name}`);
        walk(field, `${where}.${name}`);
      }
      for (const inner of [node.items, node.additionalProperties, ...(node.oneOf ?? [])]) if (typeof inner === 'object') walk(inner, `${where}[]`);
    };
    walk(schema as Described, '');
    assert.deepEqual(bare, []);
  });
});

describe('the page of a report', () => {
  it('holds nothing of what it was given as markup, and no reference to another place', () => {
    const page = renderHtml(made('hostile'));
    assert.ok(page.includes('&lt;script&gt;alert(&quot;x&quot;)'));
    assert.deepEqual(page.match(/<(script|img|b|iframe|object)\b|<[a-z]+[^<>]*\son\w+="|<link[^>]+href="(?!data:,)|(\bsrc|\bhref)="(?!#|data:,)|url\((?!#)/g), null);
  });

  it('says beside latencies how many records have none, as the page for a pull request does', () => {
    const some = '40 records that failed or whose outcome is unknown are in no percentile';
    for (const [name, bare, told] of [['failed', false, some], ['failed', true, some], ['passed', false, undefined], ['nothing sent', false, undefined]] as const) {
      const { latencyCurve, ...less } = made(name);
      const report = bare || latencyCurve === undefined ? less : { ...less, latencyCurve };
      for (const text of [renderHtml(report), renderMarkdown(report)]) assert.equal(/[^>.\n]* in no percentile/.exec(text)?.[0].trim(), told, name);
    }
  });

  it('names the digest of the report.json beside it', () => {
    assert.ok(shownFiles(made('passed'), 'abc')['report.html']?.includes('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'));
  });

  it('says in words what was not measured, and shows no zero for it', () => {
    const page = renderHtml(made('nothing sent'));
    assert.match(page, /Acknowledged and lost<\/dt><dd>not measured/);
    assert.match(page, /No request was sent\./);
    assert.match(page, /no region answered in the steady state\./);
  });
});

describe('the JUnit file of a drill', () => {
  it('has a passed case for each objective of one that passed', () => {
    const report = { ...made('passed'), objectives: made('passed').objectives.filter(({ met }) => met) };
    assert.deepEqual(testCases(renderJunit(report)).map(({ name, result }) => `${name} ${result}`), report.objectives.map(({ name }) => `${name} passed`));
  });

  it('says of a failure what was wanted, what was measured and what to do', () => {
    const lost = testCases(renderJunit(made('failed'))).find(({ name }) => name === 'log.ackedLost');
    assert.deepEqual({ result: lost?.result, message: lost?.message }, { result: 'failure', message: 'wanted 0, measured 2' });
    assert.match(lost?.text ?? '', /This is what it means, and what to do about it\.\nLet the gateway of east eject its bridge sooner[^]*p0\/1023, answered 3@170/);
  });

  it('counts what says nothing as an error: a condition that was not fulfilled, and what was not measured', () => {
    const results = Object.fromEntries(testCases(renderJunit(made('inconclusive'))).map(({ name, result }) => [name, result]));
    assert.deepEqual([results['condition.faultTookHold'], results['consume.undelivered'], results['produce.failed']], ['error', 'error', 'passed']);
    assert.match(renderJunit(made('inconclusive')), /<testsuites tests="10" failures="0" errors="2"/);
  });

  it('says of a drill that ended itself what it had missed by then, and of an interrupted one that nothing follows', () => {
    const ended = { ...made('failed'), verdict: 'aborted' as const, reason: 'the error budget is spent' };
    assert.match(renderMarkdown(ended), /ended before it was complete: the error budget is spent\. Until then failover missed \d+ objectives/);
    assert.match(renderMarkdown(made('aborted')), /nothing follows from them about failover/);
  });

  it('has an error of its own for a drill that was ended without an objective that says so', () => {
    const report = { ...made('aborted'), objectives: [] };
    assert.deepEqual(testCases(renderJunit(report)), [{ name: 'condition.verdict', result: 'error', message: 'aborted: interrupted (SIGINT).', text: 'interrupted (SIGINT).' }]);
  });

  it('is well-formed whatever names and errors hold', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const base = made('failed');
      const report = { ...base, environment: text, advice: [text], objectives: [{ name: text, limit: text, measured: text, met: false, why: text }], evidence: { [text]: [text] }, parts: { [text]: { kind: 'real' as const, version: text } } };
      assert.equal(testCases(renderJunit(report)).length, 1);
    }));
  });
});

describe('the Markdown of a drill', () => {
  it('shows verdict, predicted beside measured, what was missed and advice', () => {
    const text = renderMarkdown(made('failed'));
    assert.match(text, /^# Failover drill: bridge-kill of east\n/);
    assert.match(text, /\*\*✗ Failed\.\*\* Under bridge-kill of east, failover missed 4 objectives\./);
    assert.match(text, /\| longest time without an acknowledgement \| 3,400 ms \| at most 2,000 ms \|/);
    assert.match(text, /`log\.ackedLost` \| 0 \| 2 \|/);
    assert.match(text, /1\. Let the gateway of east/);
  });

  it('lets nothing from outside be markup or end a row', () => {
    const text = renderMarkdown(made('hostile'));
    assert.doesNotMatch(text, /(?<!\\)<\/?(script|img|title|svg|b)/);
    const cause = text.split('\n').filter((line) => line.includes('alert') && line.startsWith('|'));
    assert.ok(cause.length > 0 && cause.every((line) => line.endsWith(' |')));
    assert.ok(hostileText.includes('<script>'));
  });
});

describe('what Markdown takes for code', () => {
  it('is what stands in backticks of ours, whatever others put around it', () => {
    const text = renderMarkdown({ ...made('failed'), advice: ['set `bridge.consumer`', 'a ``a`b``<img src=x> b', 'c `x|y` d', 'see https://evil.example or www.evil.example'] });
    const [, ours, image, bar, link] = /## What to change\n\n1\. (.*)\n2\. (.*)\n3\. (.*)\n4\. (.*)\n/.exec(text) ?? [];
    assert.equal(ours, 'set `bridge.consumer`');
    assert.equal(image, 'a \\``a`b\\`\\`\\<img src=x\\> b');
    assert.equal(bar, 'c \\`x\\|y\\` d');
    assert.equal(link, 'see https:&#47;/evil.example or www&#46;evil.example');
  });
});

describe('the slots of a chart', () => {
  it('are at most 240 of one length, and hold every request', () => {
    fc.assert(fc.property(fc.array(fc.record({ t: fc.nat(40_000), ok: fc.nat(30), failed: fc.nat(5), unknown: fc.nat(5) }), { minLength: 1, maxLength: 300 }), (entries) => {
      const timeline = entries.map(({ t, ok, ...rest }) => ({ t: t * 100, ok, ...rest, byRegion: { east: Math.floor(ok / 2) } })).sort((a, b) => a.t - b.t);
      const { stepMs, slots } = slotsOf(timeline);
      const total = (list: number[]): number => list.reduce((sum, n) => sum + n, 0);
      assert.ok(slots.length <= 242, `${slots.length} slots`);
      assert.ok(slots.every(({ t }, i) => t === (slots[0]?.t ?? 0) + i * stepMs));
      assert.equal(total(slots.map((slot) => slot.elsewhere + (slot.served['east'] ?? 0))), total(timeline.map(({ ok }) => ok)));
      assert.equal(total(slots.map(({ failed, unknown }) => failed + unknown)), total(timeline.map(({ failed, unknown }) => failed + unknown)));
    }));
  });

  it('keep of consumption the most that consumers were behind, and what they had been given by the end of each', () => {
    fc.assert(fc.property(fc.array(fc.record({ given: fc.nat(50), lag: fc.nat(5000) }), { minLength: 1, maxLength: 3000 }), (entries) => {
      let delivered = 0;
      const all = entries.map(({ given, lag }, i) => ({ t: 1000 + i * 250, delivered: delivered += given, lag }));
      const { stepMs, slots } = consumptionSlotsOf(all);
      assert.ok(slots.length <= 241, `${slots.length} slots`);
      for (const { t, lengthMs, ...slot } of slots) {
        const within = all.filter((entry) => entry.t >= t && entry.t < t + stepMs);
        assert.deepEqual({ lengthMs, ...slot }, { lengthMs: within.length * 250, delivered: within.at(-1)?.delivered, lag: Math.max(...within.map(({ lag }) => lag)) });
      }
      assert.equal(slots.reduce((total, { lengthMs }) => total + lengthMs, 0), all.length * 250);
    }));
  });

  it('keep a lag of some seconds in a drill of hours, in the chart and its table', () => {
    const consumption = Array.from({ length: 6 * 3600 * 4 }, (_, i) => ({ t: 1000 + i * 250, delivered: i * 50, lag: i >= 30_001 && i < 30_020 ? 1200 : 40 }));
    const page = renderHtml({ ...made('passed'), consumption });
    const [, , rows = ''] = /<caption>Position and lag of the consumers, ([^<]+)<\/caption>([^]*?)<\/table>/.exec(page) ?? [];
    assert.deepEqual([...rows.matchAll(/<td class="number">([\d,]+)<\/td><\/tr>/g)].map(([, lag]) => lag).filter((lag) => lag !== '40'), ['1,200']);
  });

  it('are made of the consumption of a drill of ten hours, which holds more than a call takes arguments', () => {
    const consumption = Array.from({ length: 10 * 3600 * 4 }, (_, i) => ({ t: 1000 + i * 250, delivered: i * 50, lag: i === 77_777 ? 4321 : 40 }));
    assert.match(renderHtml({ ...made('passed'), consumption }), /at worst 4,321 acknowledged records were not delivered yet/);
  });

  it('have labels of moments that do not lie on each other', () => {
    const list = placed([{ t: 100, label: 'injected' }, { t: 110, label: 'took hold' }, { t: 990, label: 'healed' }], 1, 1000);
    assert.deepEqual(list.map(({ row, side }) => [row, side]), [[0, 'right'], [1, 'right'], [0, 'left']]);
  });
});

describe('the words of a report', () => {
  it('say a value with its unit', () => {
    const of = (name: string, value: number | boolean | string): string => measured({ name, limit: '', met: true, measured: value });
    assert.deepEqual([of('produce.blackoutMs', 58.4), of('produce.latencyMs.p99', 0.44), of('regions.east.during', 0.004), of('log.ackedLost', 12_000), of('condition.faultTookHold', false)],
      ['58 ms', '0.4 ms', '0.4 %', '12,000', 'no']);
    assert.deepEqual([ms(1798), ms(45_230), ms(3_600_000)], ['1,798 ms', '45.2 s', '3600 s']);
  });

  it('say a share as none or all only where it is', () => {
    assert.deepEqual([undefined, 0, 0.000_001, 0.0004, 0.004, 0.02, 0.5, 0.98, 0.9888, 0.996, 0.9996, 0.999_999, 1].map(percent),
      ['–', '0 %', '< 0.1 %', '< 0.1 %', '0.4 %', '2 %', '50 %', '98 %', '99 %', '99.6 %', '> 99.9 %', '> 99.9 %', '100 %']);
  });

  for (const [name, text, value, met, said] of [
    ['produce.blackoutMs', '<= 150 ms', 150.300_999_999_999_48, false, '≤ 150 ms, 150.3 ms'],
    ['produce.blackoutMs', '<= 150 ms', 150.004, false, '≤ 150 ms, 150.004 ms'],
    ['produce.blackoutMs', '<= 150 ms', 151.4, false, '≤ 150 ms, 151 ms'],
    ['produce.blackoutMs', '<= 149.6 ms', 150.2, false, '≤ 149.6 ms, 150 ms'],
    ['produce.blackoutMs', '< 150 ms', 149.8, true, '< 150 ms, 149.8 ms'],
    ['produce.blackoutMs', '<= 12345 ms', 12_346, false, '≤ 12.345 s, 12.35 s'],
    ['prediction.produceBlackoutMs', '<= 3000 ms (predicted 2000 ms, and half as much again)', 3000.1, false, '≤ 3,000 ms (predicted 2000 ms, and half as much again), 3,000.1 ms'],
    ['condition.generatorLatenessP99Ms', '<= 100', 100.1, false, '≤ 100 ms, 100.1 ms'],
    ['regions.west.during', '>= 99 %', 0.988_775, false, '≥ 99 %, 98.9 %'],
    ['regions.west.during', '>= 100 %', 0.999_999, false, '≥ 100 %, 99.9999 %'],
    ['regions.east.during', '= 0', 0.000_001, false, '0 %, 0.0001 %'],
    ['regions.west.during', '> 0', 0.0004, true, '> 0 %, 0.04 %'],
    ['regions.west.after', '>= 5 % of all, a tenth of its share before', 0.0496, false, '≥ 5 % of all, a tenth of its share before, 4.96 %'],
    ['step.2', 'produce.blackoutMs<=0.15s', 150.301, false, 'produce.blackoutMs<=0.15s, 150.3 ms'],
    ['step.2', 'produce.failed<=0.1%', 33, false, 'produce.failed<=0.1%, 33'],
    ['produce.failed', '<= 0.1 % of those sent', 33, false, '≤ 0.1 % of those sent, 33'],
    ['produce.failed', '<= 8 in flight at the fault', 4, false, '≤ 8 in flight at the fault, 4'],
  ] as const) {
    it(`say that ${value} ${met ? 'meets' : 'misses'} ${name} ${text}`, () => {
      const objective = { name, limit: text, measured: value, met };
      assert.equal(`${limit(objective)}, ${measured(objective)}`, said);
    });
  }

  it('say what was missed by less than a millisecond or a percent as such, wherever it is said', () => {
    const objectives = [{ name: 'produce.blackoutMs', limit: '<= 150 ms', measured: 150.301, met: false }, { name: 'regions.west.during', limit: '>= 99 %', measured: 0.988_775, met: false }];
    const report = { ...made('failed'), objectives, steps: [{ kind: 'expect' as const, text: 'produce.blackoutMs<=150', startMs: 0, endMs: 1, met: false, measured: 150.301 }] };
    assert.match(summary(report)[0] ?? '', /: 150\.3 ms \(wanted ≤ 150 ms\)\. .*: 98\.9 % \(wanted ≥ 99 %\)/);
    assert.match(renderJunit(report), /wanted ≤ 150 ms, measured 150\.3 ms"[^]*wanted ≥ 99 %, measured 98\.9 %"/);
    assert.match(renderMarkdown(report), /≤ 150 ms \| 150\.3 ms \|[^]*≥ 99 % \| 98\.9 % \|/);
    assert.match(renderHtml(report), /expect produce\.blackoutMs&lt;=150<\/th>.*>150\.3 ms<\/td>/);
  });

  it('say a limit as the value', () => {
    const of = (name: string, text: string): string => limit({ name, limit: text, met: true });
    assert.deepEqual(
      [of('log.ackedLost', '= 0'), of('produce.blackoutMs', '<= 100 ms'), of('condition.generatorLatenessP99Ms', '<= 100'), of('regions.east.during', '= 0'), of('produce.failed', '<= 0.1 % of those sent'), of('condition.carriedOut', 'every phase')],
      ['0', '≤ 100 ms', '≤ 100 ms', '0 %', '≤ 0.1 % of those sent', 'every phase']);
  });
});

describe('the plan on the page', () => {
  it('says with all its digits when the drill was to be ended, and that it is of records', () => {
    const of = (abortAfterErrors: number): string | undefined => {
      const { plan, ...report } = made('passed');
      return /<tr><th scope="row">To be ended early<\/th><td>([^<]*)</.exec(renderHtml({ ...report, plan: { ...plan, abortAfterErrors } }))?.[1];
    };
    assert.deepEqual([0.5, 0.025, 0.0125, 0.07, 1].map(of), ['50 %', '2.5 %', '1.25 %', '7 %', '100 %'].map((share) => `if more than ${share} of the records of 10 s were not acknowledged`));
    assert.doesNotMatch(renderHtml(made('passed')), /Ended early/);
  });
});

describe('what would turn text around', () => {
  it('is shown escaped, so that what stands there reads as it is', () => {
    const turned = 'a\u202eb\u2066c\u2069d';
    const base = made('failed');
    const report = { ...base, environment: turned, advice: [turned], regions: base.regions.map((region) => ({ ...region, name: turned })) };
    const files = shownFiles(report, '{}');
    for (const [name, text] of Object.entries(files)) {
      assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069]/, name);
      assert.match(text, /a\\+u202eb\\+u2066c\\+u2069d/, name);
    }
  });
});

describe('what tells regions apart', () => {
  it('is drawn in another way for each of many, and in a pattern of its own for each of twelve', () => {
    const styles = Array.from({ length: 48 }, (_, i) => JSON.stringify(regionStyle(i)));
    assert.equal(new Set(styles).size, styles.length);
    assert.equal(new Set(Array.from({ length: 12 }, (_, i) => JSON.stringify(regionStyle(i).decal))).size, 12);
  });
});

describe('a template of markup', () => {
  it('escapes what is put in, and not what it made itself', () => {
    assert.equal(html`<p title="${'"<'}">${html`<b>${'&'}</b>`}${undefined}${false}${[1, 'a']}</p>`.text, '<p title="&quot;&lt;"><b>&amp;</b>1a</p>');
  });
});
