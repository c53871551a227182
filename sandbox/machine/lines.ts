import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** A value as one line of JSON. */
export function line(value: unknown): string {
  return JSON.stringify(value) + '\n';
}

/** A request is short; whoever sends more is not one of ours. */
const maxLineBytes = 4096;

/**
 * The first line of a connection; what follows it stays in the socket, paused.
 * @throws Error when the connection ends before a newline, or the line is longer than a request can be.
 */
export function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const take = () => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
      }
      const end = seen.indexOf('\n');
      if (end < 0 && seen.length <= maxLineBytes) return;
      socket.off('readable', take).off('close', fail).off('end', fail).pause();
      if (end < 0) reject(new Error(`a connection's first line is longer than ${maxLineBytes} bytes`));
      if (seen.length > end + 1) socket.unshift(seen.subarray(end + 1));
      resolve(seen.toString('utf8', 0, end));
    };
    const fail = () => { reject(new Error('a connection ended before its first line')); };
    socket.on('readable', take).on('close', fail).on('end', fail);
  });
}

/** Lets bytes flow between two connections, half-closes included, until both ways are done or one breaks. */
export function join(a: Socket, b: Socket): void {
  // A broken connection is the peer's matter: pipeline destroys both ends, and there is no one to tell.
  pipeline(a, b, a, () => undefined);
}
