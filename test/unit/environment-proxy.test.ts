import assert from 'node:assert/strict';

import { environmentProxy } from '../../config/environment-proxy.ts';

describe('the environment’s proxy', () => {
  const proxy = 'http://proxy.example:3128';
  const isProxied = (server: string, noProxy: string): boolean => environmentProxy(server, { HTTPS_PROXY: proxy, NO_PROXY: noProxy }) === proxy;

  it('is the one of the server’s scheme, in either case, with or without its own', () => {
    assert.equal(environmentProxy('https://api.example', { https_proxy: 'proxy.example:3128', HTTP_PROXY: 'http://other' }), proxy);
    assert.equal(environmentProxy('http://api.example', { HTTPS_PROXY: proxy }), undefined);
    assert.equal(environmentProxy('https://api.example', { HTTPS_PROXY: 'socks5://proxy.example' }), 'socks5://proxy.example');
    assert.equal(environmentProxy('https://api.example', { HTTPS_PROXY: '' }), undefined);
    assert.equal(environmentProxy('no address', { HTTPS_PROXY: proxy }), undefined);
  });

  it('is never for this machine itself', () => {
    for (const server of ['https://localhost:6443', 'https://127.0.0.1:6443', 'https://127.1.2.3', 'https://[::1]:6443']) assert.equal(isProxied(server, ''), false, server);
  });

  it('is not for what NO_PROXY names, as Go reads it', () => {
    const direct: [string, string][] = [
      ['https://api.example', '*'], ['https://API.example', 'other, api.example'], ['https://api.example', 'example'], ['https://api.example', '.example'], ['https://api.example', '*.example'],
      ['https://api.example:6443', 'api.example:6443'], ['https://api.example', 'api.example:443'], ['https://10.1.2.3:6443', '10.0.0.0/8'], ['https://10.1.2.3', '10.1.2.3'],
      ['https://10.1.2.3:6443', '10.1.2.3:6443'], ['https://[fd00::1]', 'fd00::/8'], ['https://[fd00::1]:6443', '[fd00::1]:6443'],
    ];
    for (const [server, noProxy] of direct) assert.equal(isProxied(server, noProxy), false, `${server} ${noProxy}`);
    const proxied: [string, string][] = [
      ['https://api.example', ''], ['https://example', '.example'], ['https://notexample', 'example'], ['https://api.example', 'api.example:6443'], ['https://11.1.2.3', '10.0.0.0/8'],
      ['https://10.1.2.3', '10.1.2.30'], ['https://api.example', '10.0.0.0/8'], ['https://10.1.2.3', '10.0.0.0/99'], ['https://api.example', ':443'],
    ];
    for (const [server, noProxy] of proxied) assert.equal(isProxied(server, noProxy), true, `${server} ${noProxy}`);
  });
});
