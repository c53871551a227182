import type { Finding } from '../problems.ts';
import type { Path } from '../text.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Kafka reads some settings as whole numbers, and does not start with anything else. */
export function notWhole(path: Path, settings: Settings | undefined, keys: readonly string[]): Finding[] {
  return keys.filter((key) => settings?.[key] !== undefined && wholeNumber(settings[key]) === undefined).map((key) => ({ path: [...path, key], allowed: 'a whole number' }));
}

/** A number among Kafka's settings; what stands for it where there is none. */
export function numberOf(settings: Settings | undefined, key: string, otherwise: number): number {
  return wholeNumber(settings?.[key]) ?? otherwise;
}

/** As Kafka reads it: text of digits is a number as well. */
function wholeNumber(value: unknown): number | undefined {
  return (typeof value === 'string' || typeof value === 'number') && /^[-+]?\d+$/.test(String(value).trim()) ? Number(value) : undefined;
}
