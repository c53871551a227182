import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import type { Dispatcher } from 'undici';

import { startClock, exchange } from '../../automation/drill/exchange.ts';
import { httpDispatcher } from '../../automation/drill/workers/http-dispatcher.ts';
import { serverCertificate } from '../fixtures/server-certificate.ts';

describe('an exchange', () => {
  it('reads no further where an answer is larger than any of a bridge', async () => {
    const piece = Buffer.alloc(64 * 2 ** 20);
    let given = 0;
    const answer = await exchange({
      dispatch(_, handler) {
        let aborted = false;
        const controller = { abort: () => { aborted = true; } } as unknown as Dispatcher.DispatchController;
        handler.onRequestStart?.(controller, undefined);
        handler.onResponseStart?.(controller, 200, {}, 'OK');
        for (; !aborted && given < 100; given += 1) handler.onResponseData?.(controller, piece);
        return true;
      },
    }, { method: 'GET', host: 'bridge.example', path: '/topics', timeoutMs: 600_000 }, startClock());
    assert.deepEqual([given, answer.status, answer.body, answer.error], [5, 200, '', { code: 'ANSWER_TOO_LARGE', message: 'an answer of more than 256 MiB' }]);
  });
});

describe('the way of a worker to tier1 by TLS', () => {
  it('trusts whom its image trusts as well as the CA that it is given, and nobody else', async () => {
    const [server, other] = await Promise.all([serverCertificate(['bridge.example']), serverCertificate(['bridge.example'])]);
    const before = getCACertificates('default');
    await using listening = createServer(server, (_, response) => { response.end('[]'); });
    await once(listening.listen(0, '127.0.0.1'), 'listening');
    const ask = async (caCertificate: string): Promise<number | string | undefined> => {
      const dispatcher = httpDispatcher({ tier1Address: `127.0.0.1:${(listening.address() as AddressInfo).port}`, url: 'https://bridge.example', caCertificate }, { connections: 1 });
      const { status, error } = await exchange(dispatcher, { method: 'GET', host: 'bridge.example', path: '/topics', timeoutMs: 20_000 }, startClock());
      dispatcher.destroy();
      return status ?? error?.code;
    };
    assert.equal(await ask(other.cert), 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.equal(await ask(server.cert), 200);
    setDefaultCACertificates([server.cert]);
    try {
      assert.equal(await ask(other.cert), 200);
    } finally {
      setDefaultCACertificates(before);
    }
  });
});
