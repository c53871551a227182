/** A setting whose new value would replace what is running. */
export interface Refusal {
  /** Where, as the person wrote it: `kafka.storage.size`. */
  readonly path: string;
  readonly running: string;
  readonly wanted: string;
  /** What it would do, and what to do instead. */
  readonly instead: string;
}

/** Refuses another value than the one that is running, if one is. */
export function same(path: string, running: string | undefined, wanted: string, instead: string): Refusal[] {
  return running === undefined || running === wanted ? [] : [{ path, running, wanted, instead }];
}
