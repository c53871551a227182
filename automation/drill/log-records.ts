import type { Content } from './content.ts';
import { PlainJson } from './plain-json.ts';
import { PlainLines } from './plain-lines.ts';
import { recordId } from './records.ts';
import type { LogRecord, RecordId } from './records.ts';

/** What records of the log are, by their keys and values. */
export class LogRecords {
  readonly #content: Pick<Content, 'isAltered'>;
  readonly #keys = new PlainJson();
  readonly #ids = new PlainLines('id');

  /** `content`: what was sent, to compare with. */
  constructor(content: Pick<Content, 'isAltered'>) {
    this.#content = content;
  }

  of(place: { partition: number; offset: number }, key: Buffer | null, value: Buffer | null): LogRecord {
    const record: LogRecord = { partition: place.partition, offset: place.offset };
    const name = this.#plainKey(key) ?? parse(key);
    const plain = this.#plainId(value);
    const content = plain ?? parse(value);
    const id = plain ?? recordId(content);
    if (typeof name === 'string') record.key = name;
    if (id === undefined) return record;
    record.id = id;
    if (this.#content.isAltered(id, name, content)) record.altered = true;
    return record;
  }

  #plainKey(bytes: Buffer | null): string | undefined {
    if (bytes === null) return undefined;
    this.#keys.bytes = bytes;
    this.#keys.at = 0;
    const key = this.#keys.text();
    return this.#keys.at === bytes.length ? key : undefined;
  }

  /** An id with nothing beside it. */
  #plainId(bytes: Buffer | null): RecordId | undefined {
    const id = bytes === null ? undefined : this.#ids.read(bytes, 0);
    return this.#ids.end === bytes?.length ? id : undefined;
  }
}

/** The bytes as the JSON that they are; undefined where they are none. */
export function parse(bytes: Buffer | null): unknown {
  try {
    return JSON.parse(bytes?.toString('utf8') ?? 'null');
  } catch {
    return undefined;
  }
}
