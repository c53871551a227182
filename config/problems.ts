import { UserError } from '../errors.ts';
import { foundText, type Path, pathText, valueAt } from './text.ts';

/** One thing wrong in the configuration, as a person reads it. */
export interface Problem {
  /** Where, as the person wrote it: `regions[1].context`. */
  readonly path: string;
  /** What stands there, as JSON; `nothing` if it is missing. */
  readonly found: string;
  /** What may stand there. */
  readonly allowed: string;
  /** The name that was probably meant. */
  readonly suggestion?: string | undefined;
}

/** One thing wrong, as a check says it. */
export interface Finding {
  readonly path: Path;
  readonly allowed: string;
  readonly suggestion?: string | undefined;
  /** Only where it is something else than the value at the path. */
  readonly found?: string | undefined;
  /** Nothing more is to be said of what is inside. */
  readonly whole?: boolean;
}

/** Every problem of a configuration at once. */
export class ConfigurationError extends UserError {
  readonly problems: readonly Problem[];

  /** @param file where the settings come from, for the person who has to change them */
  constructor(problems: readonly Problem[], file = "the stack's Pulumi.<stack>.yaml") {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
    super([`The configuration has ${count}:`, ...problems.map((problem) => `  ${problemText(problem)}`)].join('\n'), {
      exitCode: 2,
      remedy: `Change the values in ${file}, under the key kafka-bridge-failover:<first part of the path>.`,
    });
    this.problems = problems;
  }
}

/**
 * Puts findings in the person's terms. Of several at one path the first is told.
 * @param raw what the person wrote
 * @param effective the same with defaults, for values that nobody wrote
 */
export function problemsFrom(findings: readonly Finding[], raw: unknown, effective: unknown): Problem[] {
  const told = findings.filter(({ path }) => !findings.some((other) => other.whole === true && other.path.length < path.length && other.path.every((part, index) => part === path[index])));
  const problems = told.map(({ path, found, allowed, suggestion }) => ({ path: pathText(path), found: found ?? foundAt(path, raw, effective), allowed, suggestion }));
  return problems.filter(({ path }, index) => problems.findIndex((other) => other.path === path) === index);
}

function foundAt(path: Path, raw: unknown, effective: unknown): string {
  const written = valueAt(raw, path);
  const value = written === undefined ? valueAt(effective, path) : written;
  const text = foundText(path, value);
  return written === undefined && value !== undefined ? `nothing, so ${text}` : text;
}

/** A problem in one line. */
export function problemText({ path, found, allowed, suggestion }: Problem): string {
  const meant = suggestion === undefined ? '' : ` (did you mean ${JSON.stringify(suggestion)}?)`;
  return `${path}: found ${found}${meant}; allowed: ${allowed}`;
}
