import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { UserError } from '../../errors.ts';

/**
 * Runs `body` while holding the lock of the file `path`, which is made when missing.
 * The kernel keeps the lock (flock(2)) on our open file: when this process ends, however it ends, the lock is free,
 * so there is nothing stale to detect. Node has no call for it; util-linux, without which there is no sandbox, has.
 */
export async function withLock<T>(
  path: string,
  options: { signal: AbortSignal | undefined; onWait?: () => void },
  body: () => Promise<T>,
): Promise<T> {
  const handle = await open(path, 'a');
  try {
    const tried = await flock(['--nonblock'], handle.fd, options.signal);
    if (tried !== 0) {
      options.onWait?.();
      await flock([], handle.fd, options.signal);
    }
    return await body();
  } finally {
    await handle.close();
  }
}

/** flock's exit code: 0 is ours, 1 (with --nonblock only) is somebody else's. The child shares our open file, so its lock outlives it in ours. */
async function flock(flags: string[], fd: number, signal: AbortSignal | undefined): Promise<number> {
  const child = spawn('flock', [...flags, '--exclusive', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd], signal });
  const [code] = await once(child, 'exit').catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new UserError('flock is not installed', { remedy: 'install util-linux', cause: error });
  }) as [number | null];
  signal?.throwIfAborted();
  if (code === 0 || (code === 1 && flags.length > 0)) return code;
  throw new Error(`flock ended with ${String(code)}`);
}
