import { Command, CommanderError } from 'commander';
import { UserError } from '../errors.ts';
import packageJson from '../package.json' with { type: 'json' };
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDrill } from './commands/drill.ts';
import { addFaults } from './commands/faults.ts';
import { addRender } from './commands/render.ts';
import { addReport } from './commands/report.ts';
import { addSandbox } from './commands/sandbox.ts';
import { addStack } from './commands/stack.ts';
import { addToolchain } from './commands/toolchain.ts';
import { defaultStateDir } from './options.ts';
import { printable } from './printable.ts';
import { refusedFile } from './refusedFile.ts';
import { sandboxModules } from './sandboxes.ts';
import { Session } from './session.ts';
import type { Surroundings } from './session.ts';

/** What `kbf` answers to the shell. */
export const exitCodes = { done: 0, failed: 1, wrongUse: 2, interrupted: 130 } as const;

/** Runs one command line and resolves with its exit code. */
export async function main(argv: readonly string[], surroundings: Partial<Surroundings> = {}): Promise<number> {
  const here: Surroundings = { stdout: process.stdout, stderr: process.stderr, modules: sandboxModules, ...surroundings };
  const say = (text: string): void => { here.stderr.write(`${printable(text)}\n`); };
  using session = new Session(here);
  const program = commandLine(session);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    session.close();
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse;
    return complain(await refusedFile(error, session.stateDir) ?? error, { debug: program.opts<{ debug?: true }>().debug === true, interrupted: session.signal.aborted, say });
  }
}

/** All commands. */
function commandLine(session: Session): Command {
  const program = new Command('kbf')
    .description('Provisions Kafka Bridge failover over several Kubernetes clusters, drills it and measures what it cost.')
    .version(packageJson.version)
    .option('--state-dir <dir>', 'where state and reports lie', defaultStateDir)
    .option('--debug', 'stack traces with errors')
    .showHelpAfterError('`kbf --help` lists the commands, `kbf help COMMAND` its options.')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 a drill broke its objectives or one of two compared is worse, 4 a drill was inconclusive, 5 `preview --expect-no-changes` found changes, 130 interrupted.')
    .hook('preAction', (command) => { session.stateDir = command.opts<{ stateDir: string }>().stateDir; });
  program.configureOutput({ writeOut: (text) => { session.here.stdout.write(text); }, writeErr: (text) => { session.here.stderr.write(text); } });
  program.exitOverride();
  for (const add of [addDemo, addToolchain, addSandbox, addStack, addRender, addDoctor, addDrill, addFaults, addReport]) add(program, session);
  return program;
}

/** One or few lines about what went wrong; the stack only when asked for. */
function complain(error: unknown, { debug, interrupted, say }: { debug: boolean; interrupted: boolean; say: (text: string) => void }): number {
  const known = error instanceof Error ? error : new Error(String(error));
  const isEcho = interrupted && (known.name === 'Interrupted' || known.name === 'AbortError');
  if (!isEcho) {
    say(`kbf: ${known.message}`);
    if (known instanceof UserError && known.remedy !== undefined) say(known.remedy);
    if (!(known instanceof UserError) && !debug) say('This is not a mistake of yours; --debug shows where it happened.');
  }
  if (debug) {
    for (let at: unknown = known; at instanceof Error; at = at.cause) say(at.stack ?? at.message);
  }
  if (!interrupted) return known instanceof UserError ? known.exitCode : exitCodes.failed;
  say(isEcho ? 'kbf: interrupted; what it had started is stopped.' : 'kbf: interrupted.');
  return exitCodes.interrupted;
}
