import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../errors.ts';
import { judge } from './report.ts';
import type { Report, RunRecord } from './report.ts';
import { shownFiles } from './show/index.ts';
import { readLines } from './store.ts';

/** Writes what a run knows of itself besides its lines; as a whole, so that a driver that is killed meanwhile leaves the state before. */
export async function writeRun(directory: string, run: RunRecord): Promise<void> {
  await writeWhole(path.join(directory, 'run.json'), textOf(run));
}

/** Judges what a run stored and writes report.json beside it, and what shows it (show/): the same run gives the same bytes. */
export async function judgeDirectory(directory: string): Promise<Report> {
  const report = judge({
    run: await readRun(directory),
    attempts: await readLines(directory, 'attempts'),
    log: await readLines(directory, 'log'),
    commits: await readLines(directory, 'commits'),
    deliveries: await readLines(directory, 'deliveries'),
  });
  const json = textOf(report);
  await writeWhole(path.join(directory, 'report.json'), json);
  for (const [name, content] of Object.entries(shownFiles(report, json))) await writeWhole(path.join(directory, name), content);
  return report;
}

async function readRun(directory: string): Promise<RunRecord> {
  return JSON.parse(await readFile(path.join(directory, 'run.json'), 'utf8')) as RunRecord;
}

let written = 0;

function textOf(content: unknown): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

async function writeWhole(file: string, content: string): Promise<void> {
  const whole = `${file}.${process.pid}-${written += 1}`;
  try {
    await writeFile(whole, content);
    await rename(whole, file);
  } catch (cause) {
    throw new UserError(`${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
