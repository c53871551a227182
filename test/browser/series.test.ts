import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { summarize } from '../../automation/drill/repeat.ts';
import { renderHtml } from '../../automation/drill/show/html.ts';
import { renderSeries } from '../../automation/drill/show/series.ts';
import { seriesRuns } from '../fixtures/drill-series.ts';
import { seriousFaults } from './axe.ts';
import { startChromium } from './chromium.ts';
import type { Chromium } from './chromium.ts';

describe('the page of a series, in a browser', () => {
  let chromium: Chromium;
  let file: string;
  before(async () => {
    chromium = await startChromium();
    file = path.join(chromium.directory, 'repeat.html');
    const runs = seriesRuns();
    await writeFile(file, renderSeries(summarize(runs), runs));
    for (const { directory, report } of runs) {
      await mkdir(path.join(chromium.directory, directory));
      await writeFile(path.join(chromium.directory, directory, 'report.html'), renderHtml(report));
    }
  });
  after(async () => { await chromium?.[Symbol.asyncDispose](); });

  for (const scheme of ['light', 'dark'] as const) {
    it(`is free of what axe calls serious, asks for nothing, and fits a narrow screen, ${scheme}`, async () => {
      const page = await chromium.browser.newPage();
      const heard: string[] = [];
      page.on('console', (message) => { heard.push(message.text()); });
      page.on('request', (request) => { if (!/^(data|file):/.test(request.url())) heard.push(request.url()); });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      for (const width of [1000, 380]) {
        await page.setViewport({ width, height: 900 });
        await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
        assert.deepEqual(await seriousFaults(page), []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `the page scrolls sideways at ${width}`);
      }
      assert.deepEqual(heard, []);
      await page.close();
    });
  }

  it('leads to the page of each run, by keyboard as well', async () => {
    const page = await chromium.browser.newPage();
    await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
    await page.focus('a[href="run-003/report.html"]');
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    assert.match(page.url(), /run-003\/report\.html$/);
    assert.match(await page.title(), /^Failed: bridge-kill of east/);
    await page.close();
  });
});
