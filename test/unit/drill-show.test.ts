import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom';
import type { Element } from '@xmldom/xmldom';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { html } from '../../automation/drill/show/markup.ts';
import { renderHtml } from '../../automation/drill/show/html.ts';
import { shownFiles } from '../../automation/drill/show/index.ts';
import { renderJunit } from '../../automation/drill/show/junit.ts';
import { renderMarkdown } from '../../automation/drill/show/markdown.ts';
import { placed } from '../../automation/drill/show/moments.ts';
import { slotsOf, thinned } from '../../automation/drill/show/slots.ts';
import { limit, measured, ms } from '../../automation/drill/show/words.ts';
import { hostileText, reports } from '../fixtures/drill-reports.ts';

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

/** Parses as a CI system would: anything that is not well-formed throws. */
function testCases(xml: string): { name: string; result: string; message: string; text: string }[] {
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(xml, 'text/xml');
  return [...document.getElementsByTagName('testcase')].map((one) => {
    const result = [...one.childNodes].find((node): node is Element => node.nodeType === 1);
    return { name: one.getAttribute('name') ?? '', result: result?.tagName ?? 'passed', message: result?.getAttribute('message') ?? '', text: result?.textContent ?? '' };
  });
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

  it('keep the first and last of points that are thinned', () => {
    const kept = thinned(Array.from({ length: 1000 }, (_, i) => i), 7);
    assert.deepEqual([kept.length, kept[0], kept.at(-1)], [7, 0, 999]);
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

  it('say a limit as the value', () => {
    const of = (name: string, text: string): string => limit({ name, limit: text, met: true });
    assert.deepEqual(
      [of('log.ackedLost', '= 0'), of('produce.blackoutMs', '<= 100 ms'), of('condition.generatorLatenessP99Ms', '<= 100'), of('regions.east.during', '= 0'), of('produce.failed', '<= 0.1 % of those sent'), of('condition.carriedOut', 'every phase')],
      ['0', '≤ 100 ms', '≤ 100 ms', '0 %', '≤ 0.1 % of those sent', 'every phase']);
  });
});

describe('a template of markup', () => {
  it('escapes what is put in, and not what it made itself', () => {
    assert.equal(html`<p title="${'"<'}">${html`<b>${'&'}</b>`}${undefined}${false}${[1, 'a']}</p>`.text, '<p title="&quot;&lt;"><b>&amp;</b>1a</p>');
  });
});
