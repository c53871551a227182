import assert from 'node:assert/strict';
import { byAddress } from '../../automation/drill/addresses.ts';
import { judgeProduce, servedBy } from '../../automation/drill/outcome.ts';
import type { Exchange } from '../../automation/drill/exchange.ts';

function answer(status: number, body: unknown, headers: Exchange['headers'] = {}): Exchange {
  return { issuedMs: 0, sentMs: 1, endMs: 2, status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function broken(code: string, sent: boolean): Exchange {
  return { issuedMs: 0, ...(sent ? { sentMs: 1 } : {}), endMs: 2, headers: {}, body: '', error: { code, message: code } };
}

const reset = 'upstream connect error or disconnect/reset before headers.';

describe('the outcome of a produce request', () => {
  const cases: [what: string, answer: Exchange, outcome: string, name: string][] = [
    ['is unknown for an error entry 500, which may be in the log', answer(200, { offsets: [{ error_code: 500, message: 'Expiring 1 record(s)' }] }), 'unknown', 'record-500'],
    ['is failed for an error entry 404, which never had metadata', answer(200, { offsets: [{ error_code: 404, message: 'not present in metadata' }] }), 'failed', 'record-404'],
    ['is unknown for a 200 without offsets', answer(200, {}), 'unknown', 'unreadable-answer'],
    ['is unknown for a 200 with an empty list', answer(200, { offsets: [] }), 'unknown', 'unreadable-answer'],
    ['is unknown for a 200 cut short', answer(200, '{"offsets":[{"partition":1,'), 'unknown', 'unreadable-answer'],
    ['is unknown for an entry without offset or code', answer(200, { offsets: [{ partition: 1 }] }), 'unknown', 'record-without-offset'],
    ['is unknown for an entry without partition', answer(200, { offsets: [{ offset: 7 }] }), 'unknown', 'record-without-offset'],
    ['is unknown for an offset of -1, which says that nobody waited for one', answer(200, { offsets: [{ partition: 1, offset: -1 }] }), 'unknown', 'record-without-offset'],
    ['is unknown for an asynchronous send', answer(204, ''), 'unknown', 'async'],
    ['is failed when the bridge found the request invalid', answer(400, { error_code: 400, message: 'Validation error' }), 'failed', 'http-400'],
    ['is failed when the bridge could not convert the record', answer(422, {}), 'failed', 'http-422'],
    ['is failed when no route took the request', answer(404, ''), 'failed', 'http-404'],
    ['is unknown for 408, which can come after the request went on', answer(408, 'stream timeout'), 'unknown', 'http-408'],
    ['is unknown for a 500', answer(500, {}), 'unknown', 'http-500'],
    ['is unknown for a 502', answer(502, ''), 'unknown', 'http-502'],
    ['is failed when the bridge is overloaded', answer(503, { error_code: 503, message: 'Bridge is overloaded' }), 'failed', 'bridge-refused'],
    ['is failed when no upstream is healthy', answer(503, 'no healthy upstream'), 'failed', 'no-healthy-upstream'],
    ['is failed when the upstream refused the connection', answer(503, `${reset} reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused`), 'failed', 'upstream-refused'],
    ['is failed when the upstream refused the stream', answer(503, `${reset} reset reason: remote refused stream reset`), 'failed', 'upstream-refused-stream'],
    ['is failed when a circuit breaker was open', answer(503, `${reset} reset reason: overflow`), 'failed', 'upstream-overflow'],
    ['is unknown when the upstream closed the connection', answer(503, `${reset} reset reason: connection termination`), 'unknown', 'upstream-reset'],
    ['is unknown when the upstream closed the connection, whatever else is said of it', answer(503, `${reset} reset reason: connection termination, transport failure reason: Connection refused`), 'unknown', 'upstream-reset'],
    ['is unknown when an application quotes what it was told', answer(503, { message: 'schema registry: Connection refused' }), 'unknown', 'http-503'],
    ['is unknown when an earlier try may have been carried out', answer(503, `${reset} retried and the latest reset reason: remote connection failure`), 'unknown', 'upstream-refused'],
    ['is unknown when the proxy says it tried twice', answer(503, 'no healthy upstream', { 'x-envoy-attempt-count': '2' }), 'unknown', 'no-healthy-upstream'],
    ['is unknown when only the proxy nearer to the client tried twice', answer(503, 'no healthy upstream', { 'x-envoy-attempt-count': '1,2' }), 'unknown', 'no-healthy-upstream'],
    ['is failed when every proxy tried once, or not at all', answer(503, 'no healthy upstream', { 'x-envoy-attempt-count': ['0', '1'] }), 'failed', 'no-healthy-upstream'],
    ['is unknown when a proxy tried twice, and its last try was refused', answer(404, '{"error_code":404}', { 'x-envoy-attempt-count': '2' }), 'unknown', 'http-404'],
    ['is unknown when the upstream took too long', answer(504, 'upstream request timeout'), 'unknown', 'upstream-timeout'],
    ['is unknown for a 503 that says nothing', answer(503, ''), 'unknown', 'http-503'],
    ['is failed when the connection was refused', broken('ECONNREFUSED', false), 'failed', 'unsent-refused'],
    ['is failed when it timed out before any connection took it', broken('CLIENT_TIMEOUT', false), 'failed', 'unsent-timeout'],
    ['is unknown when it timed out after it was sent', broken('CLIENT_TIMEOUT', true), 'unknown', 'timeout'],
    ['is unknown when the connection was reset', broken('UND_ERR_SOCKET', true), 'unknown', 'reset'],
    ['is unknown when a 200 broke off', { ...answer(200, { offsets: [{ partition: 0, offset: 1 }] }), error: { code: 'UND_ERR_SOCKET', message: 'other side closed' } }, 'unknown', 'reset'],
  ];
  for (const [what, given, outcome, name] of cases) {
    it(what, () => {
      assert.deepEqual(judgeProduce(given), { outcome, class: name });
    });
  }

  it('is failed behind proxies that may repeat what was sent only where they say that they did not', () => {
    const judged = (headers: Record<string, string>): string => judgeProduce(answer(503, 'no healthy upstream', headers), { proxiesRepeat: true }).outcome;
    assert.deepEqual([judged({}), judged({ 'x-envoy-attempt-count': '1' }), judged({ 'x-envoy-attempt-count': '2' })], ['unknown', 'failed', 'unknown']);
    assert.equal(judgeProduce(broken('ECONNREFUSED', false), { proxiesRepeat: true }).outcome, 'failed');
  });

  it('is ok with partition and offset for a 200 that has them', () => {
    assert.deepEqual(judgeProduce(answer(200, { offsets: [{ partition: 3, offset: 0 }] })), { outcome: 'ok', class: 'ok', partition: 3, offset: 0 });
  });
});

describe('the region that served', () => {
  const regions = [{ name: 'east', gatewayAddress: '10.213.0.1' }, { name: 'west', gatewayAddress: '10.214.0.1' }];
  for (const [what, headers, region] of [
    ['is the gateway\'s own when its upstream is a pod', { 'x-kbf-gateway': 'east', 'x-kbf-upstream': '10.13.1.7:8080' }, 'east'],
    ['is the peer when the gateway handed the request to the peer\'s gateway', { 'x-kbf-gateway': 'east', 'x-kbf-upstream': '10.214.0.1:15443' }, 'west'],
    ['is the peer when both gateways wrote their headers', { 'x-kbf-gateway': ['west', 'east'], 'x-kbf-upstream': ['10.14.1.7:8080', '10.214.0.1:15443'] }, 'west'],
    ['is the peer when both wrote them into one header', { 'x-kbf-gateway': 'west,east', 'x-kbf-upstream': '10.14.1.7:8080, 10.214.0.1:15443' }, 'west'],
    ['is the gateway\'s own when an address only begins like the peer\'s', { 'x-kbf-gateway': 'east', 'x-kbf-upstream': '10.214.0.12:8080' }, 'east'],
    ['is unknown without the headers', {}, undefined],
    ['is unknown for a gateway of another name', { 'x-kbf-gateway': 'mars', 'x-kbf-upstream': '10.13.1.7:8080' }, undefined],
  ] as const) {
    it(what, () => {
      assert.equal(servedBy(structuredClone(headers) as Exchange['headers'], regions), region);
    });
  }

  it('is the peer by any address of its gateway, where that is a host name', async () => {
    const named = await byAddress([{ name: 'east', gatewayAddress: '10.213.0.1' }, { name: 'west', gatewayAddress: 'lb.example' }], (name) => Promise.resolve(name === 'lb.example' ? ['10.9.0.1', '10.9.0.2', 'fd00::2'] : []));
    const through = (upstream: string): string | undefined => servedBy({ 'x-kbf-gateway': 'east', 'x-kbf-upstream': upstream }, named);
    assert.deepEqual(['10.9.0.1:15443', '10.9.0.2:15443', '[fd00::2]:15443', '10.13.1.7:8080'].map(through), ['west', 'west', 'west', 'east']);
  });

  it('is the peer however the address of its gateway was written', async () => {
    for (const gatewayAddress of ['2001:DB8::10', '2001:db8:0::10', '2001:db8:0:0:0:0:0:10']) {
      const written = await byAddress([{ name: 'east', gatewayAddress: '2001:db8::e' }, { name: 'west', gatewayAddress }]);
      assert.equal(servedBy({ 'x-kbf-gateway': 'east', 'x-kbf-upstream': '[2001:db8::10]:15443' }, written), 'west', gatewayAddress);
    }
  });

  it('is not guessed where that name has no address', async () => {
    await assert.rejects(byAddress([{ name: 'west', gatewayAddress: 'lb.example' }], () => Promise.reject(new Error('getaddrinfo ENOTFOUND'))),
      { name: 'UserError', message: /address of region west's gateway, lb\.example, does not resolve \(getaddrinfo ENOTFOUND\)/ });
  });
});
