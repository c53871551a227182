import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PlainLines } from '../../automation/drill/plain-lines.ts';
import type { PlainKinds } from '../../automation/drill/plain-lines.ts';

const text = fc.oneof(fc.constantFrom('p0', 'k7', 'bench'), fc.string(), fc.string({ unit: 'binary' }));
const ms = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e7, noNaN: true }), fc.double());
const count = fc.oneof(fc.nat(), fc.integer(), fc.maxSafeInteger());
const id = fc.record({ run: text, producer: text, seq: count });
const kinds: { [K in keyof PlainKinds]: fc.Arbitrary<object> } = {
  attempts: fc.record({
    producer: text, seq: count, attempt: count, key: text, intendedMs: ms, issuedMs: ms, endMs: ms, outcome: fc.constantFrom('ok', 'failed', 'unknown'), class: text, sentMs: ms, status: count, partition: count, offset: count, region: text, proxyAttempts: count,
  }, { requiredKeys: ['producer', 'seq', 'attempt', 'key', 'intendedMs', 'issuedMs', 'endMs', 'outcome', 'class'] }),
  deliveries: fc.record({ consumer: count, instance: text, askedMs: ms, tMs: ms, partition: count, offset: count, id }, { requiredKeys: ['consumer', 'instance', 'tMs', 'partition', 'offset'] }),
  id,
  log: fc.record({ partition: count, offset: count, key: text, id }, { requiredKeys: ['partition', 'offset'] }),
};

/** What JSON.parse makes of a line, or undefined. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

describe('lines read from their bytes', () => {
  for (const kind of ['attempts', 'deliveries', 'log', 'id'] as const) {
    it(`are what JSON.parse makes of ${kind}, line after line and in any order of fields, or left to it`, () => {
      const shuffled = kinds[kind].chain((record) => fc.shuffledSubarray(Object.entries(record), { minLength: Object.keys(record).length }).map(Object.fromEntries));
      fc.assert(fc.property(fc.array(fc.oneof(kinds[kind], shuffled), { maxLength: 8 }), (records) => {
        const plain = new PlainLines(kind);
        for (const record of records) {
          const line = JSON.stringify(record);
          const read = plain.read(Buffer.from(`${line}\n`), 0);
          if (read === undefined) continue;
          assert.deepEqual(read, JSON.parse(line));
          assert.equal(plain.end, line.length);
        }
      }), { numRuns: 1000 });
    });

    it(`are never taken for ${kind} when somebody changed a byte and JSON.parse would not`, () => {
      fc.assert(fc.property(kinds[kind], fc.nat(), fc.integer({ min: 0, max: 127 }), (record, at, byte) => {
        const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
        bytes[at % (bytes.length - 1)] = byte;
        const plain = new PlainLines(kind);
        const read = plain.read(bytes, 0);
        if (read !== undefined && plain.end === bytes.length - 1) assert.deepEqual(read, parsed(bytes.toString('utf8', 0, plain.end)));
      }), { numRuns: 5000 });
    });
  }

  it('are the ones that a drill writes', () => {
    for (const [kind, line] of [
      ['attempts', '{"producer":"p0","seq":0,"attempt":0,"key":"k0","intendedMs":1000,"issuedMs":1000.2100000000001,"endMs":1234.567890123,"outcome":"ok","class":"ok","partition":3,"offset":0,"sentMs":0.43,"status":200,"region":"east","proxyAttempts":1}'],
      ['attempts', '{"producer":"w-1","seq":12345678901,"attempt":2,"key":"k0","intendedMs":1000,"issuedMs":10000.000000000002,"endMs":1234.5,"outcome":"unknown","class":"timeout"}'],
      ['deliveries', '{"consumer":1,"instance":"c-1","askedMs":12.5,"tMs":13,"partition":0,"offset":9,"id":{"run":"r","producer":"p0","seq":7}}'],
      ['log', '{"partition":0,"offset":9,"key":"k0","id":{"run":"r","producer":"p0","seq":7}}'],
      ['log', '{"partition":0,"offset":10}'],
      ['id', '{"run":"r","producer":"p0","seq":7}'],
    ] as const) assert.deepEqual(new PlainLines(kind).read(Buffer.from(`${line}\n`), 0), JSON.parse(line));
  });

  for (const line of ['{"partition":01,"offset":2}', '{"partition":1.,"offset":2}', '{"partition":1,"offset":2,}', '{"partition":1 ,"offset":2}', '{"partition":1e2,"offset":2}', '{"partition":1}', '{"partition":"1","offset":2}',
    '{"partition":1,"offset":2,"id":{"run":"r","producer":"p0"}}', '{"partition":1,"offset":2,"id":{"id":{"run":"r","producer":"p0","seq":1}}}', '{"partition":1,"offset":2,"other":3}', '{"partition":1,"offset":2', '']) {
    it(`leave ${line || 'nothing'} to JSON.parse`, () => {
      assert.equal(new PlainLines('log').read(Buffer.from(`${line}\n`), 0), undefined);
    });
  }
});
