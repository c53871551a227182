import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { shellWord } from '../../config/shell-word.ts';
import { messageOf, UserError } from '../../errors.ts';
import type { JudgeAhead } from './judge-ahead.ts';
import { judgeLines } from './judge-lines.ts';
import { reportSchema } from './report.ts';
import type { Report, RunRecord } from './report.ts';
import { wrongReport } from './report-schema.ts';
import { wrongRun } from './run-schema.ts';
import { shownFiles } from './show/index.ts';

/** Writes what a run knows of itself besides its lines; as a whole, so that a driver that is killed meanwhile leaves the state before. */
export async function writeRun(directory: string, run: RunRecord): Promise<void> {
  await writeDocument(path.join(directory, 'run.json'), run, 'run the drill again');
}

/**
 * Judges what a run stored and writes report.json beside it, and what shows it (show/): the same run gives the same bytes. One whose driver was killed is judged
 * as far as its lines go. `ahead`: who began to judge it while it was still stored. Throws a UserError where there is no run, or one that somebody changed.
 */
export async function judgeDirectory(directory: string, ahead?: JudgeAhead): Promise<Report> {
  const report = await judgeRun(directory, ahead);
  await writeReport(directory, report);
  return report;
}

/** The same, written nowhere. */
export async function judgeRun(directory: string, ahead?: JudgeAhead): Promise<Report> {
  const run = await readRun(directory);
  return await ahead?.report(run) ?? await judgeLines(directory, run);
}

/** Writes a report, and what shows it. */
export async function writeReport(directory: string, report: Report): Promise<void> {
  const json = textOf(report);
  await writeWhole(path.join(directory, 'report.json'), json);
  for (const [name, content] of Object.entries(shownFiles(report, json))) await writeWhole(path.join(directory, name), content);
}

/** What a run knows of itself besides its lines. Throws a UserError where there is no run. */
export async function readRun(directory: string): Promise<RunRecord> {
  mustBeOfOneRun(directory);
  const file = path.join(directory, 'run.json');
  const run = await readDocument(file, 'name the directory of a drill\'s report; one whose driver was killed before it sent anything has nothing to judge') as RunRecord | null;
  if (run?.schema !== 'kbf-run/2') throw new UserError(`${file} is not kbf-run/2 but ${String(run?.schema)}`, { exitCode: 2, remedy: 'judge it by the version of kbf that made it; its report.json and report.html can be read as they are' });
  const wrong = wrongRun(run);
  if (wrong !== undefined) throw new UserError(`${file} is not what a drill wrote: ${wrong}`, { exitCode: 2, remedy: 'the run was changed; it cannot be judged' });
  return run;
}

/** The report of a directory, as it was judged. Throws a UserError where there is none, or one that somebody changed. */
export async function readReport(directory: string): Promise<Report> {
  mustBeOfOneRun(directory);
  const file = path.join(directory, 'report.json');
  const report = await readDocument(file, `judge the run first: kbf report ${shellWord(directory)}`) as Report | null;
  if (report?.schema !== reportSchema) throw new UserError(`${file} is not ${reportSchema} but ${String(report?.schema)}`, { exitCode: 2, remedy: `judge the run again: kbf report ${shellWord(directory)}` });
  const wrong = wrongReport(report);
  if (wrong !== undefined) throw new UserError(`${file} is not what a drill wrote: ${wrong}`, { exitCode: 2, remedy: `the report was changed; judge the run again: kbf report ${shellWord(directory)}` });
  return report;
}

function mustBeOfOneRun(directory: string): void {
  if (!existsSync(path.join(directory, 'repeat.json'))) return;
  throw new UserError(`${directory} holds a series of drills, each in a directory of its own`, { exitCode: 2, remedy: `name the directory of one of them, such as ${path.join(directory, 'run-001')}` });
}

async function readDocument(file: string, remedy: string): Promise<object> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as object;
  } catch (cause) {
    throw new UserError(`${file} cannot be read: ${messageOf(cause)}`, { exitCode: 2, remedy, cause });
  }
}

/** Writes a document as a whole: who reads it meanwhile gets the one before. Throws a UserError. */
export async function writeDocument(file: string, content: object, next?: string): Promise<void> {
  await writeWhole(file, textOf(content), next);
}

let written = 0;

/** A document as it is written. */
export function textOf(content: unknown): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** The same of a text. `next`: what a person does once a full disk has room. */
export async function writeWhole(file: string, content: string, next = 'try again'): Promise<void> {
  const whole = `${file}.${process.pid}-${written += 1}`;
  try {
    await writeFile(whole, content);
    await rename(whole, file);
  } catch (cause) {
    throw new UserError(`${file} cannot be written: ${messageOf(cause)}`, {
      remedy: (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? `make room on the disk, then ${next}` : 'name a directory that you may write', cause,
    });
  }
}
