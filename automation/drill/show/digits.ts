import { holds } from '../objective-text.ts';
import type { Expression } from '../objective-text.ts';
import type { Objective } from '../objective.ts';

/** ms: a length of time. share: of all requests, 0 to 1. count: how many. */
export type Unit = 'ms' | 'share' | 'count';

/** In parts of which size a figure is shown, such as hundredths of a share, and with how many digits after the point. */
export interface Form {
  size: number;
  digits: number;
}

/** As many digits as a reader needs who compares it with nothing. */
export function formOf(unit: Unit, value: number): Form {
  switch (unit) {
    case 'ms': return value >= 10_000 ? { size: 1000, digits: value >= 100_000 ? 0 : 1 } : { size: 1, digits: value < 10 ? 1 : 0 };
    case 'share': return { size: 0.01, digits: value > 0 && value < 1 && Math.min(value, 1 - value) < 0.01 ? 1 : 0 };
    case 'count': return { size: 1, digits: Number.isInteger(value) ? 0 : 1 };
  }
}

/** In parts of that size. */
export function rounded(value: number, { size, digits }: Form): number {
  return Number((value / size).toFixed(digits));
}

/** `50 %`. Only none is 0 %, and only all is 100 %: what the digits do not tell from them is `< 0.1 %` or `> 99.9 %`. */
export function percentage(share: number, form = formOf('share', share)): string {
  const [value, least] = [rounded(share, form), 10 ** -form.digits];
  const [sign, told] = share > 0 && value === 0 ? ['< ', least] : share < 1 && value === 100 ? ['> ', 100 - least] : ['', value];
  return `${sign}${told.toFixed(form.digits)} %`;
}

/** What the figure of an objective is measured in. That of a step is named by what it expects. */
export function unitOf({ name, limit }: Pick<Objective, 'name' | 'limit'>): Unit {
  const figure = name.startsWith('step.') ? parsed(limit)?.figure ?? '' : name;
  return /^regions\..*\.(before|during|after|share)(\.\d+)?$/.test(figure) ? 'share' : /Ms(\.|$)/.test(figure) ? 'ms' : 'count';
}

/** A limit that is a number: `<= 100 ms`, `= 0`, of a step `produce.blackoutMs<=0.1s`. Undefined where it is in words. */
export function parsed(limit: string): { figure: string; op: Expression['op']; number: string; unit: string } | undefined {
  const [, figure = '', op, number, unit = ''] = /^([^\s<>=]*)\s*(<=|>=|<|>|=)\s*(\d*\.?\d+)\s*(.*)$/.exec(limit) ?? [];
  return op === undefined || number === undefined ? undefined : { figure, op: op as Expression['op'], number, unit };
}

/**
 * The form with as many more digits as it takes that the rounded number says of the limit what the verdict says: of at most 150 ms, 150.3 ms is missed and 150 ms would be met.
 * The form as it is where the limit is no such number, or not all that decides.
 */
export function telling(objective: Objective, form: Form): Form {
  const { measured, met } = objective;
  const held = heldAgainst(objective);
  if (held === undefined || typeof measured !== 'number' || holds(held, measured) !== met) return form;
  return withDigits(form, (more) => holds(held, rounded(measured, more) * more.size) === met);
}

/** The form with as many more digits as it takes to show all of the value. */
export function exact(value: number, form: Form): Form {
  return withDigits(form, (more) => Math.abs(rounded(value, more) * more.size - value) <= Math.abs(value) * 1e-12);
}

/** More than numbers have. */
const mostDigits = 20;

function withDigits(form: Form, isEnough: (form: Form) => boolean): Form {
  let { digits } = form;
  while (digits < mostDigits && !isEnough({ ...form, digits })) digits += 1;
  return { ...form, digits };
}

/** The limit in the unit of what was measured. A share of a count is none without the count of all. */
function heldAgainst(objective: Objective): Expression | undefined {
  const { op, number, unit } = parsed(objective.limit) ?? {};
  if (op === undefined || unit === undefined || (unit.startsWith('%') && unitOf(objective) !== 'share')) return undefined;
  return { text: objective.limit, name: objective.name, op, limit: Number(number) * (unit.startsWith('%') ? 0.01 : /^s\b/.test(unit) ? 1000 : 1) };
}
