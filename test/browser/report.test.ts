import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'puppeteer-core';
import { renderHtml } from '../../automation/drill/show/html.ts';
import { verdicts } from '../../automation/drill/show/words.ts';
import { reports } from '../fixtures/drill-reports.ts';
import { seriousFaults } from './axe.ts';
import { startChromium } from './chromium.ts';
import type { Chromium } from './chromium.ts';

describe('the page of a drill, in a browser', () => {
  let chromium: Chromium;
  before(async () => { chromium = await startChromium(); });
  after(async () => { await chromium?.[Symbol.asyncDispose](); });

  /** Opens a report's page from a file, and gathers all that it says on the console and asks the network for. */
  async function open(name: string, scheme: 'light' | 'dark' = 'light'): Promise<{ page: Page; complaints: string[]; requests: string[] }> {
    const file = path.join(chromium.directory, `${name}.html`);
    await writeFile(file, renderHtml(reports[name]?.() ?? assert.fail(`no report ${name}`), 'digest'));
    const page = await chromium.browser.newPage();
    const [complaints, requests]: [string[], string[]] = [[], []];
    page.on('console', (message) => { complaints.push(message.text()); });
    page.on('pageerror', (error) => { complaints.push(String(error)); });
    page.on('dialog', (dialog) => { complaints.push(`dialog ${dialog.message()}`); void dialog.dismiss(); });
    page.on('request', (request) => { requests.push(request.url()); });
    await page.setViewport({ width: 1000, height: 900 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
    return { page, complaints, requests: requests.filter((url) => !url.startsWith('data:') && url !== pathToFileURL(file).href) };
  }

  for (const name of Object.keys(reports)) {
    it(`shows verdict and charts of a drill that is ${name}, and asks for nothing`, async () => {
      const report = reports[name]?.() ?? assert.fail(name);
      const { page, complaints, requests } = await open(name);
      assert.deepEqual({ complaints, requests }, { complaints: [], requests: [] });
      assert.ok((await page.$eval('#verdict .word', (element) => element.textContent)).includes(verdicts[report.verdict].word));
      const charts = await page.$$eval('svg[role=img]', (all) => all.map((svg) => ({
        id: svg.getAttribute('aria-labelledby'), named: (svg.getAttribute('aria-labelledby') ?? '').split(' ').every((id) => (document.getElementById(id)?.textContent ?? '') !== ''),
        drawn: svg.getBoundingClientRect().width > 600 && svg.getBoundingClientRect().height > 200 && svg.querySelectorAll('path').length > 5,
      })));
      const expected = [
        ...(report.timeline.length > 0 ? ['timeline'] : []), ...((report.latencyCurve ?? []).length > 0 ? ['latency'] : []), ...((report.consumption ?? []).length > 0 ? ['consumers'] : []),
      ];
      assert.deepEqual(charts, expected.map((id) => ({ id: `${id}-title ${id}-desc`, named: true, drawn: true })));
      await page.close();
    });

    it(`lays out no word of a drill that is ${name} over another, nor beside the page`, async () => {
      const { page } = await open(name);
      assert.deepEqual(await page.evaluate(layoutFaults), []);
      await page.setViewport({ width: 380, height: 800 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'the page scrolls sideways on a narrow screen');
      await page.close();
    });
  }

  for (const scheme of ['light', 'dark'] as const) {
    for (const name of ['failed', 'passed', 'inconclusive', 'three regions']) {
      it(`is free of what axe calls serious, ${name}, ${scheme}`, async () => {
        const { page } = await open(name, scheme);
        assert.deepEqual(await seriousFaults(page), []);
        await page.close();
      });
    }
  }

  it('can be read by keyboard alone: skip link, sections, every table, and the numbers of every chart', async () => {
    const { page } = await open('failed');
    const seen: string[] = [];
    for (let i = 0; i < 60; i += 1) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        if (element === document.body) return undefined;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return { name: element.getAttribute('aria-label') ?? element.textContent, kind: element.tagName, outlined: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
      });
      if (focused === undefined) break;
      assert.ok(focused.outlined, `the focus cannot be seen on ${focused.kind} ${focused.name}`);
      seen.push(`${focused.kind} ${focused.name}`);
      if (focused.kind === 'SUMMARY') await page.keyboard.press('Enter');
    }
    assert.equal(seen[0], 'A To the verdict');
    const reachable = await page.$$eval('nav a, summary, .scroll', (all) => all.map((element) => `${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent}`));
    assert.deepEqual(seen.slice(1), reachable);
    assert.equal(seen.filter((name) => name.startsWith('SUMMARY')).length, 3);
    assert.deepEqual(await page.$$eval('details', (all) => all.map(({ open }) => open)), [true, true, true]);
    await page.close();
  });

  it('has headings in order, and headers for every cell', async () => {
    const { page } = await open('failed');
    const levels = await page.$$eval('h1, h2, h3', (all) => all.map(({ tagName }) => Number(tagName.slice(1))));
    assert.ok(levels[0] === 1 && levels.filter((level) => level === 1).length === 1 && levels.every((level, i) => level <= (levels[i - 1] ?? 1) + 1), levels.join(' '));
    const bad = await page.$$eval('table', (all) => all.filter((table) => table.caption === null || [...table.rows].some((row, i) =>
      i === 0 ? [...row.cells].some((cell) => cell.getAttribute('scope') !== 'col') : row.cells[0]?.getAttribute('scope') !== 'row')).length);
    assert.equal(bad, 0);
    await page.close();
  });

  it('prints: the charts and tables are there on paper, in dark ink', async () => {
    const { page } = await open('passed', 'dark');
    const pdf = Buffer.from(await page.pdf({ format: 'A4', printBackground: true }));
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    assert.ok(pages >= 2 && pages <= 8, `${pages} pages`);
    await page.emulateMediaType('print');
    const { ground, charts } = await page.evaluate(() => ({
      ground: getComputedStyle(document.documentElement).getPropertyValue('--ground'), charts: [...document.querySelectorAll('svg')].every((svg) => svg.checkVisibility()),
    }));
    assert.deepEqual({ ground: ground.trim(), charts }, { ground: '#ffffff', charts: true });
    await page.close();
  });

  it('cannot reach the network even if something in it tried', async () => {
    let asked = 0;
    const server = createServer((_, response) => { asked += 1; response.end(); });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    try {
      const { page } = await open('hostile');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const results = await page.evaluate(async (target) => {
        const image = await new Promise<string>((resolve) => {
          const element = document.createElement('img');
          element.onload = (): void => { resolve('loaded'); };
          element.onerror = (): void => { resolve('refused'); };
          element.src = target;
          document.body.append(element);
        });
        return [await fetch(target, { mode: 'no-cors' }).then(() => 'loaded', () => 'refused'), image];
      }, url);
      assert.deepEqual({ results, asked }, { results: ['refused', 'refused'], asked: 0 });
      await page.close();
    } finally {
      server.close();
    }
  });
});

/** Runs in the page: words of charts that lie on each other or stick out of their chart, and elements wider than the page. */
function layoutFaults(): string[] {
  const faults: string[] = [];
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll('text')].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() })).filter(({ text }) => text !== '');
    for (const [i, { text, box }] of words.entries()) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) faults.push(`'${text}' sticks out of its chart`);
      for (const other of words.slice(i + 1)) {
        const [wide, high] = [Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left), Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top)];
        if (wide > 1 && high > 3) faults.push(`'${text}' lies on '${other.text}'`);
      }
    }
  }
  if (document.documentElement.scrollWidth > window.innerWidth) faults.push('the page scrolls sideways');
  return faults;
}
