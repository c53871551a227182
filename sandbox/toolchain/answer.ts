import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { run, SourceError } from './command.ts';
import type { RunOptions } from './command.ts';
import type { Asking } from './tool.ts';

/** What the executable says of its version: the first group of `pattern` in its standard output. */
export async function answerOf(executable: string, args: readonly string[], pattern: RegExp, asking: Pick<RunOptions, 'signal' | 'env'>): Promise<string> {
  const { signal, env } = asking;
  const output = await run(executable, args, { signal, ...(env ? { env } : {}) });
  const [, version] = pattern.exec(output) ?? [];
  if (!version) throw new SourceError(`${executable} ${args.join(' ')} answered no version: ${output.slice(0, 200)}`);
  return version;
}

/** Refuses unless all parts of a tool answered the same version. */
export function same(versions: readonly string[]): string {
  const [first = '', ...others] = versions;
  if (others.some((other) => other !== first)) throw new SourceError(`its parts answer different versions: ${versions.join(', ')}`);
  return first;
}

/**
 * Starts a Pulumi plugin and waits for the port that each prints first of all.
 * The nodejs language host has no other way to be asked whether it runs here.
 */
export async function answersAsPlugin(executable: string, asking: Asking): Promise<void> {
  asking.signal?.throwIfAborted();
  const plugin = execa(executable, ['127.0.0.1:1'], {
    stdin: 'ignore', reject: false, timeout: 10_000, killDescendants: true, forceKillAfterDelay: 1_000,
    ...(asking.signal ? { cancelSignal: asking.signal } : {}),
  });
  let port: string | undefined;
  for await (const line of createInterface(plugin.stdout)) {
    port = line;
    break;
  }
  plugin.kill();
  const { stderr } = await plugin;
  asking.signal?.throwIfAborted();
  if (!/^\d+$/.test(port ?? '')) throw new SourceError(`${executable} did not start: ${stderr.slice(-400)}`);
}

/** The version in the name of the one jar in `directory` that `pattern` matches. */
export async function jarVersion(directory: string, pattern: RegExp): Promise<string> {
  for (const name of await readdir(directory)) {
    const [, version] = pattern.exec(name) ?? [];
    if (version) return version;
  }
  throw new SourceError(`${directory} has no jar like ${pattern.source}`);
}

/** Runs a main class of the jars in `libs` with the sandbox's Java. */
export async function java(libs: string, args: readonly string[], asking: Asking): Promise<string> {
  return run(join(await asking.homeOf('java'), 'bin/java'), ['-cp', join(libs, '*'), ...args], { signal: asking.signal });
}
