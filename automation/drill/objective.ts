/** One line of the verdict. `measured` is absent when it could not be measured. */
export interface Objective {
  name: string;
  /** `= 0`, `> 0`, `<= 100 ms`, or in words. */
  limit: string;
  measured?: number | string | boolean;
  met: boolean;
  /** What it means that it is not met, and what to do, where the name does not say it; of one that is met, what was found all the same. */
  why?: string;
  /** Set where a person asked for it. */
  asked?: true;
}

export function isBroken({ measured, met }: Objective): boolean {
  return measured !== undefined && !met;
}

/** Nothing was missed, and yet something is to be said. */
export function isFinding({ met, why }: Objective): boolean {
  return met && why !== undefined;
}

export function atMost(name: string, limit: number, measured: number | undefined): Objective {
  return { name, limit: limit === 0 ? '= 0' : `<= ${limit}`, ...(measured === undefined ? {} : { measured }), met: measured !== undefined && measured <= limit };
}

export function explained(objective: Objective, why: string): Objective {
  return isBroken(objective) ? { ...objective, why } : objective;
}

/** As it is shown: a hundredth of a millisecond decides nothing. */
export function tenths(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 10) / 10;
}
