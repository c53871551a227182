import assert from 'node:assert/strict';
import fc from 'fast-check';
import { contentOf, mediaType, readValue } from '../../automation/drill/content.ts';
import type { ContentOptions } from '../../automation/drill/content.ts';
import { recordId } from '../../automation/drill/records.ts';

describe('the content of a load', () => {
  const options: ContentOptions = { keys: 60, keyDistribution: 'uniform', payloadBytes: 0, format: 'json', seed: 1 };
  const id = (seq: number): { run: string; producer: string; seq: number } => ({ run: '20260101t000000-abcd', producer: 'p0', seq });

  interface Sent { key: unknown; value: unknown }
  const sent = (body: string): Sent => {
    const { records } = JSON.parse(body) as { records: Sent[] };
    assert.equal(records.length, 1);
    return records[0] ?? assert.fail();
  };
  /** The bytes that a bridge writes. */
  const written = (format: ContentOptions['format'], part: unknown): string => (format === 'json' ? JSON.stringify(part) : Buffer.from(String(part), 'base64').toString());

  it('has the id and the wanted size in the log, the same bytes in every format', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 5000 }), fc.nat(), fc.nat(), (payloadBytes, seq, seed) => {
      const idBytes = Buffer.byteLength(JSON.stringify(id(seq)));
      const bytes = (['json', 'binary'] as const).map((format) => {
        const { key, value } = sent(contentOf({ ...options, payloadBytes, format, seed }).bodyOf(id(seq)));
        assert.deepEqual(recordId(readValue(format, value)), id(seq));
        return { key: written(format, key), value: written(format, value) };
      });
      assert.deepEqual(bytes[0], bytes[1]);
      const length = Buffer.byteLength(bytes[0]?.value ?? '');
      // A field of padding is 9 bytes with nothing in it.
      assert.equal(length, payloadBytes >= idBytes + 9 ? payloadBytes : idBytes);
    }));
  });

  it('says its format', () => {
    assert.deepEqual([contentOf(options).type, mediaType('binary')], ['application/vnd.kafka.json.v2+json', 'application/vnd.kafka.binary.v2+json']);
  });

  it('takes every key in turn', () => {
    const { keyOf } = contentOf({ ...options, keys: 3 });
    assert.deepEqual([0, 1, 2, 3, 4].map(keyOf), ['k0', 'k1', 'k2', 'k0', 'k1']);
  });

  it('takes keys by zipf\'s law: the first as often as the law says, the same ones for the same seed', () => {
    const zipf = { ...options, keyDistribution: 'zipf' as const };
    const drawn = (seed: number): string[] => {
      const { keyOf } = contentOf({ ...zipf, seed });
      return Array.from({ length: 50_000 }, (_, seq) => keyOf(seq));
    };
    const weights = Array.from({ length: 60 }, (_, i) => 1 / (i + 1) ** 0.99);
    const sum = weights.reduce((a, b) => a + b);
    const keys = drawn(3);
    for (const [i, weight] of weights.entries()) {
      const share = keys.filter((key) => key === `k${i}`).length / keys.length;
      assert.ok(Math.abs(share - weight / sum) < 0.01, `k${i} has ${share}, not ${weight / sum}`);
    }
    assert.deepEqual(contentOf({ ...zipf, seed: 3 }).keyOf(77), keys[77]);
    assert.notDeepEqual(drawn(4), keys);
  });

  it('finds no value in what is none', () => {
    assert.equal(readValue('binary', Buffer.from('{"run').toString('base64')), undefined);
    assert.equal(recordId(readValue('binary', null)), undefined);
  });
});
