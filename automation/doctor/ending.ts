import { X509Certificate } from 'node:crypto';

import type { Advice, Check, Finding } from './finding.ts';

const day = 86_400_000;
/** Time enough to renew anything by hand. */
const soonDays = 30;
/** What lives for hours or days is renewed by itself, in its last third mostly. */
const lastPart = 0.2;

/** When something is valid, ms since the epoch. */
export interface Validity {
  readonly begins: number;
  readonly ends: number;
}

export type Ending = 'later' | 'soon' | 'over' | 'not yet';

export function endingOf({ begins, ends }: Validity): Ending {
  const now = Date.now();
  if (now < begins) return 'not yet';
  if (now >= ends) return 'over';
  return ends - now < Math.min(soonDays * day, (ends - begins) * lastPart) ? 'soon' : 'later';
}

/** `until 2027-11-01 (342 days)`. */
export function until({ begins, ends }: Validity): string {
  const now = Date.now();
  const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  if (now < begins) return `only from ${new Date(begins).toISOString()} on`;
  if (now >= ends) return `until ${date(ends)}, which is over`;
  const days = Math.floor((ends - now) / day);
  return `until ${date(ends)} (${days > 0 ? `${String(days)} days` : `${String(Math.floor((ends - now) / 3_600_000))} hours`})`;
}

/** A finding for what ends; what has ended, or not begun, is a fault. */
export function judgeEnding(check: Check, validity: Validity, { found, ...advice }: Advice & { found: string }): Finding {
  const ending = endingOf(validity);
  if (ending === 'later') return check.ok(found);
  return ending === 'soon' ? check.warning(found, advice) : check.fault(found, advice);
}

/** Of the first certificate in a PEM; undefined if it holds none. */
export function validityOf(pem: string | Buffer): Validity | undefined {
  try {
    const { validFrom, validTo } = new X509Certificate(pem);
    return { begins: Date.parse(validFrom), ends: Date.parse(validTo) };
  } catch {
    return undefined;
  }
}
