import { createServer as createHttp1, type IncomingMessage, type Server as Http1Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { UserError } from '../../errors.ts';

const preface = Buffer.from('PRI * HTTP/2.0');

/**
 * One port that speaks HTTP/1.1 and, by prior knowledge, HTTP/2 without TLS: the first bytes of a connection tell which.
 * It never closes an idle connection by itself while it serves: a gateway that reuses one must not lose a request to that.
 */
export class Listener {
  readonly #net: Server;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  /** Connections of HTTP/1.1, and how many of their requests are not answered yet. */
  readonly #http1Sockets = new Map<Socket, number>();
  #draining = false;
  #inFlight = 0;

  constructor(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
    const counted = (request: IncomingMessage, response: ServerResponse): void => {
      const { socket } = request;
      this.#count(socket, 1);
      response.once('close', () => { this.#count(socket, -1); });
      if (this.#draining && request.httpVersionMajor === 1) response.shouldKeepAlive = false;
      void handle(request, response);
    };
    this.#http1 = createHttp1({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, counted);
    // Node's HTTP/2 requests and answers offer the same members as far as they are used here.
    this.#http2 = createHttp2((request, response) => { counted(request as unknown as IncomingMessage, response as unknown as ServerResponse); });
    this.#http2.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.on('error', () => undefined);
    });
    this.#net = createServer({ noDelay: true }, (socket) => { this.#accept(socket); });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** @returns the port, which differs from the wanted one for 0 only @throws UserError when the address can not be bound */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#net.once('error', (error) => { reject(new UserError(`cannot listen on ${host}:${String(port)}: ${error.message}`, { cause: error })); });
      this.#net.listen(port, host, resolve);
    });
    return (this.#net.address() as AddressInfo).port;
  }

  /**
   * Takes no new connections and asks clients to leave the ones that they have: HTTP/2 by a GOAWAY that still lets requests
   * under way in, HTTP/1.1 by `Connection: close` on every further answer.
   */
  drain(): void {
    this.#draining = true;
    this.#net.close();
    for (const session of this.#sessions) session.goaway(0, 2 ** 31 - 1);
  }

  /** Ends every connection: at once where it is idle, else after its answers. */
  close(): void {
    for (const session of this.#sessions) session.close();
    for (const [socket, requests] of this.#http1Sockets) if (requests === 0) socket.end();
  }

  /** Ends what is left, answered or not. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #count(socket: Socket, change: 1 | -1): void {
    this.#inFlight += change;
    const requests = this.#http1Sockets.get(socket);
    if (requests !== undefined) this.#http1Sockets.set(socket, requests + change);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#http1Sockets.delete(socket);
    });
    // A client that goes away is no fault of ours.
    socket.on('error', () => undefined);
    const read = (): void => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      const length = Math.min(first.length, preface.length);
      const maybeHttp2 = first.subarray(0, length).equals(preface.subarray(0, length));
      socket.unshift(first);
      if (maybeHttp2 && length < preface.length) return;
      socket.off('readable', read);
      if (!maybeHttp2) this.#http1Sockets.set(socket, 0);
      // No listener of ours may be left: the server it goes to reads by itself.
      (maybeHttp2 ? this.#http2 : this.#http1).emit('connection', socket);
    };
    socket.on('readable', read);
  }
}
