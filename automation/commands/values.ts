/** Values of flags that more than one command takes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** A whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It has to be a whole number, ${String(least)} or more.`);
  };
}

/** `30s`, `2m` or plain seconds, as seconds. */
export function seconds(least: number): (text: string) => number {
  return (text) => {
    const [, digits, unit] = /^(\d+)(s|m)?$/.exec(text) ?? [];
    const value = Number(digits) * (unit === 'm' ? 60 : 1);
    if (digits !== undefined && value >= least) return value;
    throw new InvalidArgumentError(`It has to be a duration like 30s or 2m, ${String(least)}s or more.`);
  };
}

/** `5%` or `0.05`, as a share. */
export function percent(text: string): number {
  const [, digits, sign] = /^(\d+(?:\.\d+)?)(%)?$/.exec(text) ?? [];
  const share = Number(digits) / (sign === undefined ? 1 : 100);
  if (digits !== undefined && share <= 1) return share;
  throw new InvalidArgumentError('It has to be a share from 0 to 1, or a percentage like 20%.');
}

/** All values of a flag that may be given several times. */
export function several(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** A sandbox's name: it becomes part of paths and of host names. */
export function sandboxName(text: string): string {
  if (/^[a-z0-9-]{1,20}$/.test(text)) return text;
  throw new InvalidArgumentError('Use 1 to 20 of the characters a-z, 0-9 and "-".');
}

/** A directory of its own for the files of one drill. */
export function newReportDir(stateDir: string, name: string): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const wanted = join(stateDir, 'reports', `${stamp}-${name}`);
  return existsSync(wanted) ? `${wanted}-${String(process.pid)}` : wanted;
}

export const defaults = { rate: 100, seconds: 30, leastSeconds: 6, regions: 2, sandbox: 'dev', fault: 'bridge-scale-0' } as const;
