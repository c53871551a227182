import assert from 'node:assert/strict';
import { bridgeOperations } from '../../config/bridge-operations.ts';
import { Api } from '../../sandbox/bridge/api.ts';
import type { Cluster } from '../../sandbox/bridge/cluster.ts';
import { readConfig } from '../../sandbox/bridge/config.ts';
import { HttpError } from '../../sandbox/bridge/errors.ts';
import { serve } from '../../sandbox/bridge/http.ts';
import { operations, type OperationId } from '../../sandbox/bridge/operations.ts';
import { checkRequest, route } from '../../sandbox/bridge/request.ts';

const kafka = 'application/vnd.kafka.v2+json';
const json = 'application/vnd.kafka.json.v2+json';

function check(id: OperationId, request: { body?: string; contentType?: string; path?: Record<string, string>; query?: string }): unknown {
  const operation = operations.find((each) => each.id === id);
  assert.ok(operation);
  return checkRequest(operation, { path: request.path ?? {}, query: new URLSearchParams(request.query ?? ''), contentType: request.contentType, body: Buffer.from(request.body ?? '') });
}

function refusal(id: OperationId, request: Parameters<typeof check>[1]): Record<string, unknown> {
  try {
    check(id, request);
  } catch (error) {
    assert.ok(error instanceof HttpError);
    return error.toJSON();
  }
  return assert.fail('the request was accepted');
}

describe('bridge: routes', () => {
  const cases: [string, string, string][] = [
    ['POST', '/topics/t', 'send'], ['POST', '/topics/t/partitions/1', 'sendToPartition'], ['GET', '/topics', 'listTopics'], ['GET', '/topics/', 'listTopics'], ['GET', '/', 'info'], ['GET', '/openapi', 'openapi'], ['GET', '/openapi/v3', 'openapiv3'],
    ['POST', '/consumers/g/', 'createConsumer'], ['GET', '/consumers/g/instances/c/records', 'poll'], ['DELETE', '/consumers/g/instances/c/subscription', 'unsubscribe'],
    ['POST', '/consumers/g/instances/c/positions/end', 'seekToEnd'], ['POST', '/admin/topics', 'createTopic'],
  ];
  for (const [method, path, id] of cases) {
    it(`leads ${method} ${path} to ${id}`, () => {
      const found = route(method, path);
      assert.ok(found !== undefined && 'operation' in found);
      assert.equal(found.operation.id, id);
    });
  }

  it('leads to every operation that a health check may ask for', () => {
    for (const [path, name] of Object.entries({ '/': 'info', '/openapi': 'openapi', '/topics': 'listTopics', '/topics/t': 'getTopic', '/topics/t/partitions': 'listPartitions', '/topics/t/partitions/0': 'getPartition', '/topics/t/partitions/0/offsets': 'getOffsets' })) {
      assert.deepEqual(bridgeOperations.filter((operation) => operation.answered && operation.path.test(path)).map((operation) => operation.name), [name]);
      const found = route('GET', path);
      assert.ok(found !== undefined && 'operation' in found && found.operation.id === name, path);
    }
    assert.equal(bridgeOperations.filter(({ answered }) => answered).length, 7);
  });

  it('tells of all of them at /openapi', async () => {
    const config = readConfig(new Map([['kafka.bootstrap.servers', 'kafka.example:9092']]));
    const listener = serve(new Api(config, { admin: {} } as unknown as Cluster), 'api');
    try {
      const port = await listener.listen(0, '127.0.0.1');
      for (const path of ['/openapi', '/openapi/v3']) {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`);
        const { openapi, paths } = await answer.json() as { openapi: string; paths: Record<string, Record<string, { operationId: string }>> };
        assert.deepEqual([answer.status, answer.headers.get('content-type'), openapi], [200, 'application/json', '3.1.0'], path);
        assert.deepEqual(Object.values(paths).flatMap((each) => Object.values(each).map(({ operationId }) => operationId)).sort(), operations.map(({ id }) => id).sort());
        assert.equal(paths['/topics/{topicname}']?.['post']?.operationId, 'send');
      }
    } finally {
      listener.drain();
      listener.destroy();
    }
  });

  it('decodes names in the path', () => {
    const found = route('GET', '/topics/a%20b');
    assert.ok(found !== undefined && 'operation' in found);
    assert.deepEqual(found.path, { topicname: 'a b' });
  });

  it('names the methods that a path has', () => assert.deepEqual(route('PUT', '/topics/t'), { allow: ['POST', 'GET'] }));
  it('knows no other path', () => { for (const path of ['/nothing/here', '/topics//partitions', '/consumers/']) assert.equal(route('GET', path), undefined, path); });
});

describe('bridge: what a request must look like', () => {
  const invalid = (text: string): Record<string, unknown> => ({ error_code: 400, message: `Validation error on: ${text}` });

  it('accepts a record of every kind of value', () => {
    assert.doesNotThrow(() => check('send', { contentType: json, body: '{"records":[{"key":"k","value":{"a":1}},{"value":null},{"value":[1]},{"value":"x","partition":1,"timestamp":5,"headers":[{"key":"h","value":"aGk="}]}]}' }));
  });

  it('accepts a record for a partition that is none: its producer answers for that', () => {
    assert.doesNotThrow(() => check('sendToPartition', { contentType: json, body: '{"records":[{"value":"x"}]}', path: { partitionid: '-1' } }));
  });

  it('says of each of very many records that it is none', () => {
    const errors = refusal('send', { contentType: json, body: `{"records":[${'1,'.repeat(130_000)}1]}` })['validation_errors'] as string[];
    assert.equal(errors.filter((error) => error === 'Items did not match schema').length, 130_001);
  });

  const formats: (string | undefined)[] = [undefined, 'application/json', kafka, `${json}; charset=utf-8`];
  for (const contentType of formats) {
    it(`refuses a record as ${contentType ?? 'no type at all'}`, () => {
      assert.deepEqual(refusal('send', { ...(contentType === undefined ? {} : { contentType }), body: '{"records":[]}' }), invalid('The format of the request body is not supported'));
    });
  }

  it('refuses a body that is missing', () => assert.deepEqual(refusal('subscribe', { contentType: kafka }), invalid('The related request does not contain the required body.')));
  it('takes no body where it is optional', () => assert.equal(check('createConsumer', {}), undefined));
  it('refuses what is no JSON', () => assert.deepEqual(refusal('subscribe', { contentType: kafka, body: '{' }), invalid("The request body can't be decoded")));

  const schema: [string, OperationId, Parameters<typeof check>[1], string][] = [
    ['a number as a value', 'send', { contentType: json, body: '{"records":[{"value":5}]}' }, 'Instance type number is invalid. Expected string'],
    ['a null key', 'send', { contentType: json, body: '{"records":[{"key":null,"value":"x"}]}' }, 'Property "key" does not match schema'],
    ['a record without a value', 'send', { contentType: json, body: '{"records":[{"key":"k"}]}' }, 'Instance does not have required property "value"'],
    ['a field that is not there', 'send', { contentType: json, body: '{"records":[{"value":"x","foo":1}]}' }, 'Property "foo" does not match additional properties schema'],
    ['a partition in a record for a partition', 'sendToPartition', { contentType: json, body: '{"records":[{"value":"x","partition":1}]}', path: { partitionid: '0' } }, 'Property "partition" does not match additional properties schema'],
    ['a partition that is no number', 'getPartition', { path: { partitionid: 'x' } }, 'Instance type string is invalid. Expected integer'],
    ['a negative partition', 'getPartition', { path: { partitionid: '-1' } }, '-1 is less than 0'],
    ['a wrong query', 'send', { contentType: json, body: '{"records":[]}', query: 'async=maybe' }, 'Instance type string is invalid. Expected boolean'],
    ['a timeout that is no number', 'poll', { query: 'timeout=abc' }, 'Instance type string is invalid. Expected integer'],
    ['a setting that consumers do not have', 'createConsumer', { contentType: kafka, body: '{"session.timeout.ms":1}' }, 'Property "session.timeout.ms" does not match additional properties schema'],
    ['an offset without a partition', 'commit', { contentType: kafka, body: '{"offsets":[{"topic":"t","offset":1}]}' }, 'Instance does not have required property "partition"'],
  ];
  for (const [what, id, request, error] of schema) {
    it(`refuses ${what}`, () => {
      const body = refusal(id, request);
      assert.deepEqual(Object.keys(body), ['error_code', 'message', 'validation_errors']);
      assert.equal(body['message'], 'Validation error on: Schema validation error');
      assert.ok((body['validation_errors'] as string[]).includes(error), JSON.stringify(body));
    });
  }

  it('reads whole numbers however they are written, where they are no part of a record', async () => {
    const config = readConfig(new Map([['kafka.bootstrap.servers', '127.0.0.1:1']]));
    let committed: unknown;
    const listener = serve(new Api(config, { admin: { alterConsumerGroupOffsets: (offsets: unknown) => { committed = offsets; return Promise.resolve(); } } } as unknown as Cluster), 'api');
    try {
      const port = await listener.listen(0, '127.0.0.1');
      const ask = async (method: string, path: string, body?: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}/consumers/g${path}`, { method, headers: { 'content-type': kafka }, ...(body === undefined ? {} : { body }) })).status;
      const at = (offset: string): string => `{"offsets":[{"topic":"t","partition":0.0,"offset":${offset}}]}`;
      assert.equal(await ask('POST', '', '{"name":"i","enable.auto.commit":false,"fetch.min.bytes":1.0}'), 200);
      assert.equal(await ask('POST', '/instances/i/assignments', '{"partitions":[{"topic":"t","partition":0.0}]}'), 204);
      for (const [offset, read] of [['5', 5n], ['5.0', 5n], ['5e3', 5000n], ['9007199254740992', 2n ** 53n], ['9007199254740993', 2n ** 53n]] as const) {
        const wanted = { groupId: 'g', topics: [{ name: 't', partitionOffsets: [{ partition: 0, offset: read }] }] };
        assert.equal(await ask('POST', '/instances/i/offsets', at(offset)), 204, offset);
        assert.deepEqual(committed, wanted);
        assert.equal(await ask('POST', '/instances/i/positions', at(offset)), 204, offset);
        committed = undefined;
        assert.equal(await ask('POST', '/instances/i/offsets'), 204);
        assert.deepEqual(committed, wanted, 'the position');
      }
      assert.equal(await ask('DELETE', '/instances/i'), 204);
    } finally {
      listener.drain();
      listener.destroy();
    }
  });

  it('keeps the digits of large numbers', () => {
    const body = check('send', { contentType: json, body: '{"records":[{"value":{"id":12345678901234567890,"f":1.0}}]}' });
    assert.equal(JSON.stringify(body), '{"records":[{"value":{"id":12345678901234567890,"f":1.0}}]}');
  });
});
