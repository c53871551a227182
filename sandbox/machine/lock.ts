import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../errors.ts';

/** How long whoever starts or stops a sandbox waits for another process that has a look at it, or removes what is left of it. */
export const patienceMs = 5_000;
const againMs = 50;

/**
 * Does something that changes a sandbox (starting, stopping, cleaning) while no other process does. The lock is the name of an
 * abstract unix socket, which the kernel frees with its holder, however that ends.
 * @param waitMs how long another process may go on holding it
 * @throws UserError when it does
 */
export async function locked<T>(dir: string, action: () => Promise<T>, waitMs = 0): Promise<T> {
  const server = await hold(dir, performance.now() + waitMs);
  try {
    return await action();
  } finally {
    server.close();
  }
}

async function hold(dir: string, deadline: number): Promise<Server> {
  const server = createServer();
  // The directory's path alone may be too long for a socket's name.
  server.listen(`\0kafka-bridge-failover-${createHash('sha256').update(dir).digest('hex')}`);
  try {
    await once(server, 'listening');
    return server;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    if (performance.now() >= deadline) throw new UserError(`another process is starting or stopping the sandbox in ${dir}`, { remedy: 'Wait for it to finish.', cause });
  }
  await sleep(againMs);
  return await hold(dir, deadline);
}
