import assert from 'node:assert/strict';
import fc from 'fast-check';
import { contentOf } from '../../automation/drill/content.ts';
import { LogRecords } from '../../automation/drill/log-records.ts';
import { recordId } from '../../automation/drill/records.ts';

const place = { partition: 1, offset: 2 };
const content = contentOf({ run: 'this one', keys: 1, seed: 1, load: { keyDistribution: 'uniform', payloadBytes: 80, format: 'json' } });
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('records of the log', () => {
  it('are what JSON.parse makes of their keys and values', () => {
    const id = fc.record({ run: fc.string(), producer: fc.string(), seq: fc.nat(), pad: fc.string() }, { requiredKeys: ['run', 'producer', 'seq'] });
    fc.assert(fc.property(fc.array(fc.tuple(fc.jsonValue(), fc.oneof(id, fc.jsonValue()))), (records) => {
      const log = new LogRecords(content);
      for (const [key, value] of records) {
        const expected = recordId(JSON.parse(JSON.stringify(value)));
        assert.deepEqual(log.of(place, json(key), json(value)), { ...place, ...(typeof key === 'string' ? { key } : {}), ...(expected === undefined ? {} : { id: expected }) });
      }
    }), { numRuns: 500 });
  });

  it('are altered where their run sent another value or key with that id', () => {
    const log = new LogRecords(content);
    const id = { run: 'this one', producer: 'p0', seq: 7 };
    const { key, value } = (JSON.parse(content.bodyOf(id)) as { records: [{ key: string; value: object }] }).records[0];
    const isAltered = (...[k, v]: [unknown, unknown]): boolean => log.of(place, json(k), json(v)).altered === true;
    assert.deepEqual([isAltered(key, value), isAltered(key, id), isAltered(key, { ...value, pad: 'short' }), isAltered('k1', value)], [false, true, true, true]);
  });

  it('are altered where a field beside its identity came to a value without padding, also one that lines of a run have', () => {
    const log = new LogRecords(contentOf({ run: 'this one', keys: 1, seed: 1, load: { keyDistribution: 'uniform', payloadBytes: 0, format: 'json' } }));
    const id = { run: 'this one', producer: 'p0', seq: 7 };
    for (const [more, altered] of [[{}, undefined], [{ region: 'west' }, true], [{ status: 200, offset: 7, key: 'x' }, true], [{ id }, true], [{ other: 1 }, true]] as const) {
      assert.deepEqual(log.of(place, json('k0'), json({ ...id, ...more })), { ...place, key: 'k0', id, ...(altered ? { altered } : {}) });
    }
    assert.deepEqual(log.of(place, json('k0'), json({ run: 'x', producer: 'p9', seq: 9, id })).id, { run: 'x', producer: 'p9', seq: 9 });
  });

  it('have no id or key where they are no JSON, or hold more than one value', () => {
    const log = new LogRecords(content);
    const whole = { key: Buffer.from('"k0"'), value: Buffer.from('{"run":"r","producer":"p0","seq":7}') };
    assert.deepEqual(log.of(place, whole.key, whole.value), { ...place, key: 'k0', id: { run: 'r', producer: 'p0', seq: 7 } });
    assert.deepEqual(log.of(place, null, null), place);
    assert.deepEqual(log.of(place, Buffer.from('"k0"x'), Buffer.concat([whole.value, Buffer.from('}')])), place);
    assert.deepEqual(log.of(place, whole.key.subarray(0, 2), whole.value.subarray(0, 20)), place);
    assert.deepEqual(log.of(place, Buffer.alloc(0), Buffer.alloc(0)), place);
  });
});
