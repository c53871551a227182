import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Report } from './report.ts';
import { judgeRun, textOf, writeReport, writeWhole } from './stored.ts';

export interface Rejudged {
  report: Report;
  /** Set where the directory held another judgement. */
  before?: {
    /** Where that one is kept. */
    file: string;
    /** What is different now, a line each. */
    changes: string[];
  };
}

/**
 * Judges a stored run that may have its report already. The same run gives the same bytes; where it does not, somebody changed the run, the report or the rules, and
 * the earlier judgement may be all that tells of it: so it is kept. Throws as `judgeDirectory` does.
 */
export async function rejudge(directory: string): Promise<Rejudged> {
  const file = path.join(directory, 'report.json');
  const stored = existsSync(file) ? await readFile(file, 'utf8') : undefined;
  const report = await judgeRun(directory);
  if (stored === undefined || stored === textOf(report)) {
    await writeReport(directory, report);
    return { report };
  }
  const kept = freeName(directory);
  await writeWhole(kept, stored);
  await writeReport(directory, report);
  return { report, before: { file: kept, changes: changesOf(stored, report) } };
}

function freeName(directory: string): string {
  let number = 1;
  while (existsSync(path.join(directory, `report.previous-${number}.json`))) number += 1;
  return path.join(directory, `report.previous-${number}.json`);
}

/** What decides comes first. Of other parts a report holds too much to be told value by value. */
const toldParts = ['verdict', 'objectives', 'produce', 'consume', 'log', 'regions', 'predicted'];
const mostLines = 12;

/** The earlier one may be of any form, as somebody may have written in it. */
function changesOf(stored: string, report: Report): string[] {
  const [was, is] = [parsed(stored), parsed(textOf(report))];
  if (was === undefined || is === undefined) return ['what was there is no JSON document'];
  const values = toldParts.flatMap((part) => valueChanges(leaves(was[part], part), leaves(is[part], part)));
  const others = Object.keys({ ...was, ...is }).filter((part) => !toldParts.includes(part) && !isDeepStrictEqual(was[part], is[part]));
  if (values.length + others.length === 0) return ['only how it is written'];
  return [
    ...values.slice(0, mostLines), ...(values.length > mostLines ? [`and ${values.length - mostLines} more values`] : []),
    ...(others.length === 0 ? [] : [`something in ${others.join(', ')}`]),
  ];
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

function valueChanges(was: Map<string, unknown>, is: Map<string, unknown>): string[] {
  return [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name)).map((name) => `${name}: ${shown(was.get(name))}, now ${shown(is.get(name))}`);
}

/** Single values by their path; what has a name goes by that. */
function leaves(value: unknown, name: string): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) return new Map(value === undefined ? [] : [[name, value]]);
  return new Map(Object.entries(value).flatMap(([key, inner]) => [...leaves(inner, `${name}.${nameOf(inner) ?? key}`)]));
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' ? value.name : undefined;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'absent' : String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
