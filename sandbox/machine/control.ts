import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { firstLine, join, line } from './lines.ts';
import type { ControlRequest, StatusReport, Targets } from './protocol.ts';

export interface ControlHandlers {
  status(): StatusReport;
  /** Ends everything in order; the process exits after the answer is out. */
  stop(): Promise<void>;
  targets(): Targets;
}

export interface Control {
  /** Sends the targets to everyone who asked for them. */
  targetsChanged(): void;
  close(): void;
}

/** Takes requests from outside the tree on a unix socket, for as long as the process lives. */
export async function serveControl(path: string, handlers: ControlHandlers): Promise<Control> {
  const watchers = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    firstLine(socket).then((text) => answer(socket, JSON.parse(text) as ControlRequest)).catch((error: unknown) => {
      console.error(error);
      socket.destroy();
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    targetsChanged: () => { for (const socket of watchers) socket.write(line(handlers.targets())); },
    close: () => {
      server.close();
      for (const socket of watchers) socket.destroy();
    },
  };

  async function answer(socket: Socket, request: ControlRequest): Promise<void> {
    switch (request.op) {
      case 'status':
        // Not left half-open for a client that never ends its side.
        socket.write(line(handlers.status()));
        socket.destroySoon();
        break;
      case 'stop':
        await handlers.stop();
        socket.end(line({}), () => process.exit(0));
        break;
      case 'targets':
        watchers.add(socket.on('close', () => watchers.delete(socket)));
        socket.write(line(handlers.targets()));
        break;
      case 'connect': {
        const target = handlers.targets()[request.to];
        if (target === undefined) socket.destroy();
        else join(socket, connect({ ...target, allowHalfOpen: true }));
        break;
      }
    }
  }
}
