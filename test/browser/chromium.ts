import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import puppeteer from 'puppeteer-core';
import type { Browser } from 'puppeteer-core';

/** A headless Chromium with a directory of its own, which holds its profile and whatever a test puts there. */
export interface Chromium extends AsyncDisposable {
  browser: Browser;
  directory: string;
}

/**
 * Starts the Chromium that PUPPETEER_EXECUTABLE_PATH names, or else the one on the PATH; nothing is downloaded. Disposing ends it and removes
 * its directory. Throws where there is none, with what to do.
 */
export async function startChromium(): Promise<Chromium> {
  const directory = await mkdtemp(path.join(tmpdir(), 'kbf-browser-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 5 });
  try {
    const browser = await puppeteer.launch({
      executablePath: executable(), headless: true, userDataDir: path.join(directory, 'profile'),
      // Chromium's own sandbox refuses to run as root, as which containers and CI jobs run; what it opens here is our own.
      args: ['--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    });
    return { browser, directory, async [Symbol.asyncDispose]() { await browser.close().finally(remove); } };
  } catch (error) {
    await remove();
    throw error;
  }
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function executable(): string {
  const named = process.env['PUPPETEER_EXECUTABLE_PATH'];
  if (named !== undefined) return named;
  const candidates = (process.env['PATH'] ?? '').split(path.delimiter).flatMap((directory) => names.map((name) => path.join(directory, name)));
  const found = candidates.find(isExecutable);
  if (found === undefined) throw new Error('no Chromium is installed: apt-get install chromium, or name one in PUPPETEER_EXECUTABLE_PATH');
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
