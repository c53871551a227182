/** A value that exists only after `up`, or that is never written: text in angle brackets stands in its place. */
export interface Placeholder {
  /** File that it is in, from the rendered folder. */
  readonly file: string;
  /** Where in the file: `spec.http[0].hostname`. */
  readonly path: string;
  /** What belongs there: `load balancer address of Service edge/tier1 in cluster central`. */
  readonly what: string;
}

const known = new Set<string>();

/** The text that stands for a value. One that is part of a longer text is found in it all the same. */
export function placeholder(what: string): string {
  known.add(what);
  return `<${what}>`;
}

/** Whether a value is nothing but the text that stands for it. */
export function isPlaceholder(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('<') && value.endsWith('>') && known.has(value.slice(1, -1));
}

/** Every placeholder in a value, in the order of its keys. */
export function placeholdersIn(value: unknown, path = ''): Omit<Placeholder, 'file'>[] {
  if (typeof value === 'string') return [...value.matchAll(/<([^<>]+)>/g)].flatMap(([, what = '']) => (known.has(what) ? [{ path, what }] : []));
  if (Array.isArray(value)) return value.flatMap((each, index) => placeholdersIn(each, `${path}[${String(index)}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => placeholdersIn(each, /^[\w-]+$/.test(key) ? (path === '' ? key : `${path}.${key}`) : `${path}[${JSON.stringify(key)}]`));
}
