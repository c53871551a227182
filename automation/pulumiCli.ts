import { existsSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname } from 'node:path';
import { PulumiCommand } from '@pulumi/pulumi/automation/index.js';
import type { Workspace } from '@pulumi/pulumi/automation/index.js';
import { shellWord } from '../config/shell-word.ts';
import { messageOf, UserError } from '../errors.ts';
import { variable } from './variable.ts';

/**
 * The Pulumi CLI in a directory, or on PATH.
 * @throws UserError if it does not answer
 */
export async function openPulumi(bin: string | undefined): Promise<PulumiCommand> {
  try {
    return await askPulumi(bin === undefined ? {} : { root: dirname(bin) });
  } catch (error) {
    throw new UserError(`The Pulumi CLI ${bin === undefined ? 'on PATH' : `in ${bin}`} does not answer: ${commandFailure(error)}`, {
      remedy: bin === undefined ? 'Install it (https://www.pulumi.com/docs/install/).' : 'Run `kbf toolchain install`.', cause: error,
    });
  }
}

/**
 * The CLI, once it said its version. It begins a log of every call in its home, the user's where it is told of none, and does without where it
 * cannot. The Automation API gives this call the process's own variables and no others, and reads them before it first waits.
 */
function askPulumi(where: { root?: string }): Promise<PulumiCommand> {
  const before = process.env['PULUMI_HOME'];
  process.env['PULUMI_HOME'] = variable('PULUMI_HOME') ?? devNull;
  try {
    return PulumiCommand.get(where);
  } finally {
    if (before === undefined) delete process.env['PULUMI_HOME'];
    else process.env['PULUMI_HOME'] = before;
  }
}

/** What the Automation API itself starts the CLI by; it has no type of its own. */
interface Cli {
  run(args: string[], directory: string, variables: Record<string, string>, onOutput: undefined, onError: undefined, signal: AbortSignal): Promise<{ readonly stdout: string }>;
}

/** Runs the CLI as a workspace would, and gives its standard output. Its errors are for `commandFailure`. */
export async function runPulumi({ pulumiCommand, workDir, envVars }: Workspace, args: string[], signal?: AbortSignal): Promise<string> {
  // The Automation API never takes its listener away, and a caller's signal may outlive many calls.
  const stop = new AbortController();
  const onAbort = (): void => { stop.abort(); };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const { stdout } = await (pulumiCommand as unknown as Cli).run(args, workDir, envVars, undefined, undefined, stop.signal);
    return stdout;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** A command of plain `pulumi` for a person's shell, with the variables without which it would look for the state elsewhere. */
export function shellCommand({ envVars }: Pick<Workspace, 'envVars'>, args: readonly string[]): string {
  const named = ['PULUMI_BACKEND_URL', 'PULUMI_HOME'].flatMap((name) => (envVars[name] === undefined ? [] : `${name}=${shellWord(envVars[name])}`));
  return [...named, 'pulumi', ...args].join(' ');
}

/** Whether the CLI refused because another operation has the stack: how backends of files and Pulumi Cloud put it. */
export function isLocked(said: string): boolean {
  return /stack is currently locked|update is currently in progress/.test(said);
}

/** The Pulumi CLI's own words, from its first `error:` on, without the command line and the rest of the output. */
export function commandFailure(error: unknown): string {
  const text = messageOf(error);
  const lines = text.split('\n').map((line) => line.trim());
  const first = lines.findIndex((line) => line.startsWith('error:'));
  // The Automation API's error says everything twice: as the output, and again from `err?:` on.
  const end = lines.findIndex((line, index) => index > first && line.startsWith('err?:'));
  if (first >= 0) return lines.slice(first, end < 0 ? undefined : end).filter((line) => line !== '').join('\n').replace(/^error: /, '');
  return existsSync('/proc') && text.includes('ENOENT') ? 'there is no such program' : lines.slice(0, 3).join('\n');
}
