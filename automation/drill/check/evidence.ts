import type { Ledger } from './ledger.ts';
import { placeOf } from './places.ts';
import type { Places } from './places.ts';

const most = 20;

/** The first records of each finding, for a reader to look up. */
export class Evidence {
  readonly #lists = new Map<string, string[]>();

  note(finding: string, what: string): void {
    const list = this.#lists.get(finding);
    if (list === undefined) this.#lists.set(finding, [what]);
    else if (list.length < most) list.push(what);
  }

  /** By the name of the finding, in the order of names, so that the same run gives the same text. */
  byFinding(): Record<string, string[]> {
    return Object.fromEntries([...this.#lists].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Records whose places are worth telling: these are looked up in one pass over the log, for the few that are told. */
export class Examples {
  readonly #noted: { finding: string; record: number; remark: string }[] = [];
  readonly #counts = new Map<string, number>();

  note(finding: string, record: number, remark = ''): void {
    const count = this.#counts.get(finding) ?? 0;
    this.#counts.set(finding, count + 1);
    if (count < most) this.#noted.push({ finding, record, remark });
  }

  tell(ledger: Ledger, places: Places, evidence: Evidence): void {
    const found = places.placesOf(new Set(this.#noted.map(({ record }) => record)));
    for (const { finding, record, remark } of this.#noted) {
      evidence.note(finding, `${ledger.nameOf(record)} at ${(found.get(record) ?? []).map(placeOf).join(', ')}${remark}`);
    }
  }
}
