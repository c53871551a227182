import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { UserError } from '../../errors.ts';

/**
 * Does something that changes a sandbox (starting, stopping, cleaning) while no other process does. The lock is the name of an
 * abstract unix socket, which the kernel frees with its holder, however that ends.
 * @throws UserError when another process holds it
 */
export async function locked<T>(dir: string, action: () => Promise<T>): Promise<T> {
  const server = createServer();
  // The directory's path alone may be too long for a socket's name.
  server.listen(`\0kafka-bridge-failover-${createHash('sha256').update(dir).digest('hex')}`);
  try {
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new UserError(`another process is starting or stopping the sandbox in ${dir}`, { remedy: 'Wait for it to finish.', cause });
  }
  try {
    return await action();
  } finally {
    server.close();
  }
}
