/** Objects of Kubernetes as they are read: what is looked for may be missing anywhere. */
export interface RawObject {
  metadata?: { name?: string; namespace?: string; creationTimestamp?: string };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

const unitsMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration of Go or protobuf (`0.25s`, `100ms`, `1m0s`), ms. */
export function duration(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined;
  return Math.round([...value.matchAll(/([\d.]+)([a-zµ]+)/g)].reduce((sum, [, digits, unit]) => sum + Number(digits) * unitsMs[unit as keyof typeof unitsMs], 0));
}

export function thousand(value: unknown): number | undefined {
  const seconds = number(value);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Kafka's settings are numbers or text. */
export function number(value: unknown): number | undefined {
  const read = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? read : undefined;
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}

export function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((found, key) => (typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined), value);
}

/** Of several patches the last that says something. */
export function last(values: readonly unknown[], ...path: string[]): unknown {
  return values.map((value) => at(value, ...path)).findLast((found) => found !== undefined);
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

export function defined<T extends Record<string, unknown>>(fields: T): Defined<T> & Record<string, never> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T> & Record<string, never>;
}
