import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Growing, lastBelow, Paged } from '../../automation/drill/columns.ts';

const numbers = fc.array(fc.double({ noNaN: true }), { maxLength: 200 });

describe('columns', () => {
  it('hold what was put into them, in its order and sorted', () => {
    fc.assert(fc.property(numbers, fc.double({ noNaN: true }), (values, limit) => {
      const column = new Growing();
      for (const value of values) column.push(value);
      assert.equal(column.length, values.length);
      assert.deepEqual(values.map((_, i) => column.at(i)), values);
      assert.deepEqual([column.at(-1), column.at(values.length)], [0, 0]);
      const upwards = Float64Array.from(values).sort();
      assert.deepEqual(column.sorted(), upwards);
      assert.equal(lastBelow(upwards, limit), upwards.filter((value) => value < limit).length - 1);
    }));
  });

  it('find the last number below another, as far as they go', () => {
    const times = new Growing();
    for (const time of [10, 20, 20, 30]) times.push(time);
    assert.deepEqual([5, 10, 20, 25, 31, Infinity].map((limit) => times.lastBelow(limit)), [-1, -1, 0, 2, 3, 3]);
  });

  it('hold numbers by indices that are dense, or far from each other, and nothing elsewhere', () => {
    const index = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: -10_000, max: 2 ** 40 }));
    fc.assert(fc.property(fc.array(fc.tuple(index, fc.integer({ min: -1, max: 2 ** 31 - 1 }))), fc.array(index), (puts, others) => {
      const paged = new Paged();
      const known = new Map<number, number>();
      for (const [at, value] of puts) {
        paged.set(at, value);
        known.set(at, value);
        assert.equal(paged.get(at), value);
      }
      for (const at of [...known.keys(), ...others]) assert.equal(paged.get(at), known.get(at) ?? 0);
      const told: [number, number][] = [];
      paged.forEach((at, value) => { told.push([at, value]); });
      assert.deepEqual(told, [...known].filter(([, value]) => value !== 0).sort(([a], [b]) => a - b));
    }));
  });
});
