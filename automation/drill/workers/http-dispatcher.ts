import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { getCACertificates } from 'node:tls';

import type { Dispatcher } from 'undici';

import { bracketed } from '../bracketed.ts';
import type { Connections, Tier1 } from '../entrance.ts';

export interface HttpDispatcher extends Pick<Dispatcher, 'dispatch'> {
  destroy(): void;
}

/** The way to tier1 of a pod, which has Node.js and nothing else: what `entrance` is to the driver. */
export function httpDispatcher({ tier1Address, url = '', caCertificate = '' }: Tier1, { connections, requestsPerConnection = Infinity }: Connections): HttpDispatcher {
  const secure = url.startsWith('https:');
  const origin = `${secure ? 'https' : 'http'}://${bracketed(tier1Address)}`;
  const options = { keepAlive: true, maxSockets: connections };
  const agent = secure ? new https.Agent({ ...options, ...(caCertificate === '' ? {} : { ca: [...getCACertificates('default'), caCertificate], allowPartialTrustChain: true }) }) : new http.Agent(options);
  const requests = new WeakMap<Socket, number>();
  return {
    dispatch({ method, path, body, headers: given }, handler) {
      const headers = given as Record<string, string>;
      const request = (secure ? https : http).request(`${origin}${path}`, { method, headers, agent, ...(secure ? { servername: headers['host'] } : {}) });
      const controller = { abort: (reason: Error) => { request.destroy(reason); } } as Dispatcher.DispatchController;
      request.once('socket', (socket) => {
        const send = (): void => {
          handler.onRequestStart?.(controller, undefined);
          if (request.destroyed) return;
          const number = (requests.get(socket) ?? 0) + 1;
          requests.set(socket, number);
          if (number >= requestsPerConnection) request.setHeader('connection', 'close');
          request.end(body as string | null ?? undefined);
        };
        // It counts as sent from when a connection takes it, not from when one begins to be made.
        if (!socket.connecting) send();
        else socket.once(secure ? 'secureConnect' : 'connect', send);
      });
      request.once('response', (response) => {
        handler.onResponseStart?.(controller, response.statusCode ?? 0, response.headers, response.statusMessage);
        response.on('data', (chunk: Buffer) => { handler.onResponseData?.(controller, chunk); });
        response.once('end', () => { handler.onResponseEnd?.(controller, {}); });
        response.once('error', (error) => { handler.onResponseError?.(controller, error); });
      });
      request.once('error', (error) => { handler.onResponseError?.(controller, error); });
      return true;
    },
    destroy() {
      agent.destroy();
    },
  };
}
