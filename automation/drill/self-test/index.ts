import { check as ownCheck } from '../checker.ts';
import { Chance } from './chance.ts';
import { cleanHistory, counted, said } from './history.ts';
import type { Expected, Generated } from './history.ts';
import { plants } from './plants.ts';

export interface SelfTestOptions {
  /** Of the first history; each other has the next one. Default 1. */
  seed?: number;
  /** Histories of each kind. Default 300. */
  runs?: number;
  /** What is tested. Default: the drill's own checker. */
  check?: typeof ownCheck;
}

/** How often one kind of damage was put into a clean history, and what came of it. */
export interface SelfTestRow {
  kind: string;
  planted: number;
  caught: number;
  /** Histories in which something was found that is not there. */
  invented: number;
}

export interface SelfTestResult {
  seed: number;
  runs: number;
  rows: SelfTestRow[];
  /** The first histories in which something was missed or invented, each by the seed that makes it again. */
  failures: { seed: number; kind: string; wrong: string }[];
  passed: boolean;
}

const clean = 'nothing';

/**
 * Tries the checker on generated histories: clean ones, in which nothing may be found, and the same with damage put into them, which has to
 * be found by the right counter, and nothing else with it. The same seed makes the same histories.
 */
export function selfTest({ seed = 1, runs = 300, check = ownCheck }: SelfTestOptions = {}): SelfTestResult {
  const rows = [clean, ...Object.keys(plants)].map((kind): SelfTestRow => ({ kind, planted: 0, caught: 0, invented: 0 }));
  const failures: SelfTestResult['failures'] = [];
  for (let i = 0; i < runs; i += 1) {
    const original = cleanHistory(new Chance(seed + i));
    for (const row of rows) {
      const wanted = damaged(structuredClone(original), new Chance(seed + i), row.kind);
      if (wanted === undefined) continue;
      row.planted += 1;
      const { missed, invented } = compare(wanted, said(check(wanted.history)));
      if (missed.length === 0) row.caught += 1;
      if (invented.length > 0) row.invented += 1;
      if (missed.length + invented.length > 0 && failures.length < 10) failures.push({ seed: seed + i, kind: row.kind, wrong: [...missed, ...invented].join(', ') });
    }
  }
  return { seed, runs, rows, failures, passed: rows.every(({ planted, caught, invented }) => planted > 0 && caught === planted && invented === 0) };
}

interface Damaged {
  history: Generated;
  expected: Expected;
  /** Counters that the damage is to change. */
  planted: ReadonlySet<string>;
}

/** The history with one kind of damage, or undefined where it has nothing to damage so. */
function damaged({ history, expected }: ReturnType<typeof cleanHistory>, chance: Chance, kind: string): Damaged | undefined {
  const changed = kind === clean ? {} : plants[kind]?.(history, chance, expected);
  if (changed === undefined) return undefined;
  const found = { ...expected, ...changed };
  return { history, expected: { ...found, ...counted(history, found) }, planted: new Set(Object.keys(changed)) };
}

/** A counter of what was planted that is wrong is missed; any other that is wrong is invented. */
function compare({ expected, planted }: Damaged, found: Expected): { missed: string[]; invented: string[] } {
  const wrong = (Object.keys(expected) as (keyof Expected)[]).filter((name) => expected[name] !== found[name]);
  const told = (name: keyof Expected): string => `${name} ${String(found[name])} instead of ${String(expected[name])}`;
  return { missed: wrong.filter((name) => planted.has(name)).map(told), invented: wrong.filter((name) => !planted.has(name)).map(told) };
}

/** As a person reads it on a terminal. Ends in a newline. */
export function renderSelfTest({ seed, runs, rows, failures, passed }: SelfTestResult): string {
  const width = Math.max(...rows.map(({ kind }) => kind.length)) + 2;
  const line = (cells: readonly (string | number)[]): string => `  ${String(cells[0]).padEnd(width)}${cells.slice(1).map((cell) => String(cell).padStart(9)).join('')}`;
  return [
    `The checker on ${runs} generated histories of each kind, seeds ${seed} to ${seed + runs - 1}: ${passed ? 'ALL FOUND, NOTHING INVENTED' : 'FAILED'}`, '',
    line(['planted', 'in', 'caught', 'invented']), ...rows.map(({ kind, planted, caught, invented }) => line([kind, planted, kind === clean ? '-' : caught, invented])),
    ...failures.map((failure) => `  seed ${failure.seed}, ${failure.kind}: ${failure.wrong}`),
    '',
  ].join('\n');
}
