import assert from 'node:assert/strict';
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom';
import type { Element } from '@xmldom/xmldom';

import { summarize } from '../../automation/drill/repeat.ts';
import { renderSeriesJunit } from '../../automation/drill/show/junit.ts';
import { renderSeries } from '../../automation/drill/show/series.ts';
import { seriesRuns } from '../fixtures/drill-series.ts';

const pageOf = (...names: string[]): string => {
  const runs = names.length === 0 ? seriesRuns() : seriesRuns(names);
  return renderSeries(summarize(runs), runs);
};

describe('the page of a series', () => {
  it('says how the drills ended, how sure that is, and what median and worst are', () => {
    const page = pageOf();
    assert.match(page, /<title>Failed: 8 drills: bridge-kill of east, [^<]+<\/title>/);
    assert.match(page, /Of these drills 6 passed, 1 failed, 1 inconclusive\./);
    for (const sentence of summarize(seriesRuns()).confidence) assert.ok(page.includes(sentence.replaceAll('\'', '&#39;')), sentence);
    assert.match(page, /Longest time without acknowledgement, median<\/dt><dd>[\d,]+ ms<small>worst: 3,402 ms<\/small>/);
    assert.match(page, /<dt>Passed<\/dt><dd>6<small>of 8<\/small>/);
  });

  it('has a row for each run, which leads to its report and says why where it did not pass', () => {
    const rows = [...pageOf().matchAll(/<tr><th scope="row"><a class="keep" href="([^"]+)">([^<]+)<\/a><\/th>(.*)<\/tr>/g)].map(([, href, name, cells]) => ({ href, name, cells: (cells ?? '').replace(/<\/td>/g, '|').replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ') }));
    assert.deepEqual(rows.map(({ href, name }) => [href, name]), Array.from({ length: 8 }, (_, i) => [`run-00${i + 1}/report.html`, `run-00${i + 1}`]));
    assert.match(rows[2]?.cells ?? '', /✗ failed \| 3,402 ms\|.*\| 33\| 7\| 2\| 3\| records that were acknowledged, and are not in the log: 2, and 3 more\|/);
    assert.match(rows[5]?.cells ?? '', /\? inconclusive \|.*\| the fault never took hold/);
    assert.match(rows[0]?.cells ?? '', /✓ passed \|/);
  });

  it('has no column for reasons where every drill passed', () => {
    assert.match(pageOf(), /<th scope="col">Why<\/th>/);
    assert.doesNotMatch(pageOf('passed'), /Why/);
  });

  for (const [names, word] of [[['passed', 'passed'], 'Passed'], [['passed', 'inconclusive'], 'Inconclusive'], [['aborted'], 'Inconclusive'], [['inconclusive', 'failed'], 'Failed']] as const) {
    it(`is called ${word} where its drills were ${names.join(' and ')}`, () => {
      assert.match(pageOf(...names), new RegExp(`<title>${word}: ${names.length} drill`));
    });
  }

  it('is called Failed where a drill had broken an objective when it ended itself', () => {
    const runs = seriesRuns(['passed', 'aborted']);
    runs[1]?.report.objectives.push({ name: 'produce.failed', limit: '= 0', measured: 40, met: false });
    assert.match(renderSeries(summarize(runs), runs), /<title>Failed: 2 drills/);
  });

  it('names every fault of its drills', () => {
    assert.match(pageOf('three regions'), /<h1>1 drill: bridge-kill of frankfurt-production-eu-central-1, then gateway-black-hole of tokyo<\/h1>/);
  });

  it('says why a drill failed by what it missed, and besides that it was not what it had to be', () => {
    const runs = seriesRuns(['failed']);
    runs[0].report.objectives.unshift({ name: 'condition.connectionWaitP50Ms', limit: '<= 100', measured: 150, met: false });
    assert.match(renderSeries(summarize(runs), runs), />records that were acknowledged, and are not in the log: 2, and 3 more\. Besides: how long the typical request waited for a connection of the load before the fault: 150 ms, wanted ≤ 100 ms\.</);
  });

  it('says what was not measured as such', () => {
    const page = pageOf('nothing sent');
    assert.match(page, /No run answered its question\./);
    assert.match(page, /Acknowledged and lost, median<\/dt><dd>not measured/);
  });

  it('holds nothing of what it was given as markup, and no reference but to its runs', () => {
    const page = pageOf('hostile', 'failed');
    assert.ok(page.includes('&lt;script&gt;alert(&quot;x&quot;)'));
    assert.deepEqual(page.match(/<(script|img|b|iframe|object)\b|<[a-z]+[^<>]*\son\w+="|<link[^>]+href="(?!data:,)|(\bsrc|\bhref)="(?!#|data:,|run-\d+\/report\.html")|url\((?!#)/g), null);
  });
});

describe('the JUnit file of a series', () => {
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(renderSeriesJunit(seriesRuns()), 'text/xml');
  const suites = [...document.getElementsByTagName('testsuite')];
  const sum = (elements: readonly Element[], attribute: string): number => elements.reduce((total, element) => total + Number(element.getAttribute(attribute)), 0);

  it('has a suite for each run, named after its directory', () => {
    assert.deepEqual(suites.map((suite) => /, (run-\d+)$/.exec(suite.getAttribute('name') ?? '')?.[1]), seriesRuns().map(({ directory }) => directory));
  });

  it('has a case for each run and objective, no two of one name', () => {
    const names = [...document.getElementsByTagName('testcase')].map((one) => `${one.getAttribute('classname') ?? ''} ${one.getAttribute('name') ?? ''}`);
    assert.ok(names.includes('drill.bridge-kill.run-003 log.ackedLost'));
    assert.equal(new Set(names).size, names.length);
    assert.equal(names.length, seriesRuns().reduce((total, { report }) => total + report.objectives.length, 0));
  });

  it('counts over all of them what each counts', () => {
    const [all] = [...document.getElementsByTagName('testsuites')];
    assert.ok(all);
    for (const attribute of ['tests', 'failures', 'errors']) assert.equal(Number(all.getAttribute(attribute)), sum(suites, attribute), attribute);
    assert.equal(Number(all.getAttribute('failures')), 4);
    assert.deepEqual(suites.map((suite) => Number(suite.getAttribute('failures'))), [0, 0, 4, 0, 0, 0, 0, 0]);
  });
});
