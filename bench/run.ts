import { onInterrupt } from '../automation/interrupt.ts';

/**
 * Runs a bench to its end, also where it is interrupted: Ctrl-C, SIGTERM, SIGHUP or a reader that is gone abort the signal, which everything that a bench
 * waits for takes. What was opened is closed as after any failure, however often Ctrl-C is repeated meanwhile, and the process then exits with 130.
 */
export async function runBench(bench: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupt = onInterrupt((why) => {
    process.stderr.write(`\n${why}: stopping and cleaning up\n`);
    return true;
  });
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => { interrupt.abort('nobody reads what this writes'); });
  try {
    await bench(interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    // What could not be closed is left behind, which nobody may take for an end in order.
    if (error instanceof SuppressedError) throw error.error;
    process.exitCode = 130;
  }
}
