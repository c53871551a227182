import assert from 'node:assert/strict';
import fc from 'fast-check';
import { contentOf, mediaType, readJson } from '../../automation/drill/content.ts';
import type { ContentPlan } from '../../automation/drill/content.ts';
import { recordId } from '../../automation/drill/records.ts';
import type { RecordId } from '../../automation/drill/records.ts';

describe('the content of a load', () => {
  const run = '20260101t000000-abcd';
  const id = (seq: number, producer = 'p0'): RecordId => ({ run, producer, seq });
  const plan = ({ keys = 60, seed = 1, ...load }: Partial<ContentPlan['load'] & Pick<ContentPlan, 'keys' | 'seed'>> = {}): ContentPlan =>
    ({ run, keys, seed, load: { keyDistribution: 'uniform', payloadBytes: 0, format: 'json', ...load } });

  interface Sent { key: unknown; value: unknown }
  const sent = (body: string): Sent => {
    const { records } = JSON.parse(body) as { records: Sent[] };
    assert.equal(records.length, 1);
    return records[0] ?? assert.fail();
  };
  /** The bytes that a bridge writes. */
  const written = (format: ContentPlan['load']['format'], part: unknown): string => (format === 'json' ? JSON.stringify(part) : Buffer.from(String(part), 'base64').toString());

  it('has the id and the wanted size in the log, the same bytes in every format', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 5000 }), fc.nat(), fc.nat(), (payloadBytes, seq, seed) => {
      const idBytes = Buffer.byteLength(JSON.stringify(id(seq)));
      const bytes = (['json', 'binary'] as const).map((format) => {
        const { key, value } = sent(contentOf(plan({ payloadBytes, format, seed })).bodyOf(id(seq)));
        assert.deepEqual(recordId(readJson(format, value)), id(seq));
        return { key: written(format, key), value: written(format, value) };
      });
      assert.deepEqual(bytes[0], bytes[1]);
      const length = Buffer.byteLength(bytes[0]?.value ?? '');
      // A field of padding is 9 bytes with nothing in it.
      assert.equal(length, payloadBytes >= idBytes + 9 ? payloadBytes : idBytes);
    }));
  });

  it('says its format', () => {
    assert.deepEqual([contentOf(plan()).type, mediaType('binary')], ['application/vnd.kafka.json.v2+json', 'application/vnd.kafka.binary.v2+json']);
  });

  it('takes every key in turn', () => {
    const { keyOf } = contentOf(plan({ keys: 3 }));
    assert.deepEqual([0, 1, 2, 3, 4].map((seq) => keyOf(id(seq))), ['k0', 'k1', 'k2', 'k0', 'k1']);
  });

  it('takes keys by zipf\'s law: the first as often as the law says, the same ones for the same seed', () => {
    const drawn = (seed: number, producer?: string): string[] => {
      const { keyOf } = contentOf(plan({ keyDistribution: 'zipf', seed }));
      return Array.from({ length: 50_000 }, (_, seq) => keyOf(id(seq, producer)));
    };
    const weights = Array.from({ length: 60 }, (_, i) => 1 / (i + 1) ** 0.99);
    const sum = weights.reduce((a, b) => a + b);
    const keys = drawn(3);
    for (const [i, weight] of weights.entries()) {
      const share = keys.filter((key) => key === `k${i}`).length / keys.length;
      assert.ok(Math.abs(share - weight / sum) < 0.01, `k${i} has ${share}, not ${weight / sum}`);
    }
    assert.deepEqual(drawn(3), keys);
    assert.deepEqual(contentOf(plan({ keyDistribution: 'zipf', seed: 3 })).keyOf(id(77)), keys[77]);
    assert.notDeepEqual(drawn(4), keys);
    assert.notDeepEqual(drawn(3, 'w0'), keys);
  });

  it('knows what it sent from what was altered', () => {
    fc.assert(fc.property(fc.constantFrom(0, 20, 100), fc.nat(), fc.constantFrom('uniform' as const, 'zipf' as const), (payloadBytes, seq, keyDistribution) => {
      const content = contentOf(plan({ payloadBytes, keyDistribution }));
      const { key, value } = sent(content.bodyOf(id(seq)));
      assert.equal(content.isAltered(id(seq), key, value), false);
      assert.equal(content.isAltered(id(seq), key, Object.fromEntries(Object.entries(value as object).reverse())), false);
      assert.equal(content.isAltered(id(seq), `${String(key)}0`, value), true);
      assert.equal(content.isAltered(id(seq), undefined, value), true);
      assert.equal(content.isAltered(id(seq), key, { ...value as object, more: 1 }), true);
      assert.equal(content.isAltered(id(seq), key, { ...value as object, pad: 'AAAA' }), true);
      const bare = id(seq);
      assert.equal(content.isAltered(bare, key, bare), 'pad' in (value as object));
    }));
  });

  it('says nothing of another run\'s records', () => {
    assert.equal(contentOf(plan()).isAltered({ ...id(1), run: 'another' }, 'k9', { run: 'another', producer: 'p0', seq: 1, pad: 'x' }), false);
  });

  it('finds no value in what is none', () => {
    assert.equal(readJson('binary', Buffer.from('{"run').toString('base64')), undefined);
    assert.equal(recordId(readJson('binary', null)), undefined);
  });
});
