import assert from 'node:assert/strict';
import { HttpError } from '../../sandbox/bridge/errors.ts';
import { formatOf, fromRecords, toRecords, type Format, type IncomingRecord } from '../../sandbox/bridge/records.ts';

function bytes(format: Format, value: unknown): string | undefined {
  return toRecords('t', undefined, format, { records: [{ value }] })[0]?.value?.toString('utf8');
}

function incoming(value: string | null): IncomingRecord {
  return { topic: 't', partition: 2, offset: 7n, timestamp: 1000n, key: null, value: value === null ? null : Buffer.from(value), headers: [] };
}

describe('bridge: records on their way to Kafka', () => {
  const encoded: [Format, unknown, string][] = [
    ['json', 'x', '"x"'], ['json', { a: [1, null] }, '{"a":[1,null]}'], ['json', null, 'null'],
    ['binary', 'aGk=', 'hi'], ['binary', 'aGk', 'hi'], ['text', 'plain', 'plain'],
  ];
  for (const [format, value, text] of encoded) it(`writes ${JSON.stringify(value)} as ${format}`, () => assert.equal(bytes(format, value), text));

  it('writes a binary null as the original does: the word, decoded', () => {
    assert.deepEqual(toRecords('t', undefined, 'binary', { records: [{ value: null }] })[0]?.value, Buffer.from([0x9e, 0xe9, 0x65]));
  });

  it('decodes headers and keeps the partition of the path', () => {
    const [record] = toRecords('t', 3, 'json', { records: [{ key: 'k', value: 1, headers: [{ key: 'h', value: 'aGk=' }] }] });
    assert.deepEqual([record?.partition, record?.key?.toString(), record?.headers], [3, '"k"', [['h', Buffer.from('hi')]]]);
  });

  const refused: [string, Format, object, RegExp][] = [
    ['text that is no string', 'text', { value: {} }, /^Because the embedded format is 'text', the value must be a string$/],
    ['base64 with a foreign letter', 'binary', { value: 'a b=' }, /^Illegal base64 character 20$/],
    ['base64 that ends too early', 'binary', { value: 'aGkxy' }, /^Last unit does not have enough valid bits$/],
    ['a negative partition', 'json', { value: 'x', partition: -1 }, /^Invalid partition: -1\. Partition number should always be non-negative or null\.$/],
    ['a negative timestamp', 'json', { value: 'x', timestamp: -5 }, /^Invalid timestamp: -5\./],
  ];
  for (const [what, format, record, message] of refused) {
    it(`refuses ${what} with 422`, () => assert.throws(() => toRecords('t', undefined, format, { records: [record] }), (error: unknown) => error instanceof HttpError && error.status === 422 && message.test(error.message)));
  }

  it('answers a body without records like the original', () => {
    assert.throws(() => toRecords('t', undefined, 'json', {}), (error: unknown) => error instanceof HttpError && error.status === 422 && error.message.includes('"jsonArray" is null'));
  });
});

describe('bridge: records from Kafka', () => {
  const decoded: [Format, string | null, unknown][] = [['json', '{"a":1}', { a: 1 }], ['text', 'x"y', 'x"y'], ['binary', 'hi', 'aGk='], ['json', null, null]];
  for (const [format, value, expected] of decoded) {
    it(`reads ${String(value)} as ${format}`, () => {
      assert.deepEqual(JSON.parse(fromRecords(format, [incoming(value)]).toString()), [{ topic: 't', key: null, value: expected, partition: 2, offset: 7, timestamp: 1000 }]);
    });
  }

  it('writes headers only where there are any', () => {
    const [record] = JSON.parse(fromRecords('text', [{ ...incoming('x'), headers: [[Buffer.from('h'), Buffer.from('v')]] }]).toString()) as { headers: unknown }[];
    assert.deepEqual(record?.headers, [{ key: 'h', value: 'dg==' }]);
  });

  it('gives the whole batch up for one record that is not JSON', () => {
    assert.throws(() => fromRecords('json', [incoming('{}'), incoming('oops')]), (error: unknown) => error instanceof HttpError && error.status === 406 && error.message.startsWith('Failed to decode:'));
  });
});

describe('bridge: media types', () => {
  const types: [string | undefined, Format | undefined][] = [
    ['application/vnd.kafka.json.v2+json', 'json'], ['application/vnd.kafka.binary.v2+json', 'binary'], ['application/vnd.kafka.text.v2+json', 'text'],
    ['*/*', undefined], [undefined, undefined], ['application/vnd.kafka.json.v2+json, */*', undefined],
  ];
  for (const [type, format] of types) it(`takes ${type ?? 'none'} for ${format ?? 'nothing'}`, () => assert.equal(formatOf(type), format));
});
