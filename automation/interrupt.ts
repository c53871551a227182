import { setMaxListeners } from 'node:events';

/** Why an operation was ended early: a person or the system asked for it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** One AbortSignal for the process; `dispose` takes the handlers away again. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** The same for a reason that is no signal. */
  abort(why: string): void;
  dispose(): void;
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP, or the end of the process that started this one over an IPC
 * channel, into an abort, unless `heed` declines it. Later ones change nothing: cleaning up is already under way, and
 * hurrying it is what would leave things behind.
 */
export function onInterrupt(heed: (why: string) => boolean): Interrupt {
  const controller = new AbortController();
  // Every tool and every process listens to it, which is many and no leak.
  setMaxListeners(0, controller.signal);
  const abort = (why: string): void => {
    if (!controller.signal.aborted && heed(why)) controller.abort(new Interrupted(why));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const handlers = signals.map((name) => [name, () => { abort(name); }] as const);
  const disconnected = (): void => { abort('the process that started this one ended'); };
  for (const [name, handler] of handlers) process.on(name, handler);
  process.once('disconnect', disconnected);
  process.channel?.unref();
  return {
    signal: controller.signal,
    abort,
    dispose() {
      for (const [name, handler] of handlers) process.off(name, handler);
      process.off('disconnect', disconnected);
    },
  };
}
