import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { UserError } from '../errors.ts';
import { variable } from './variable.ts';

/** The passphrase kept in `file`, made at the first call (mode 0600). For sandboxes, whose secrets end with them. */
export async function keptPassphrase(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return trimmed(await readFile(file, 'utf8'));
}

/** As Pulumi takes the text of PULUMI_CONFIG_PASSPHRASE_FILE: without white space around it, an editor's line end for one. */
function trimmed(text: string): string {
  return text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '');
}

/** What decides whether a passphrase is needed, and where it comes from. */
export interface PassphraseQuestion {
  stack: string;
  /** The parsed `Pulumi.<stack>.yaml`. */
  settings: { secretsprovider?: string; encryptionsalt?: string };
  /** Where state lies, if `Pulumi.yaml` says it. */
  backend: string | undefined;
  env: NodeJS.ProcessEnv;
  /** Asks a person; absent where there is no terminal. */
  ask?: ((question: string) => Promise<string>) | undefined;
}

/** The passphrase of a stack that is no sandbox's; undefined where Pulumi finds it by itself or needs none. */
export async function stackPassphrase({ stack, settings, backend, env, ask }: PassphraseQuestion): Promise<string | undefined> {
  if (env['PULUMI_CONFIG_PASSPHRASE'] !== undefined) return undefined;
  const file = variable('PULUMI_CONFIG_PASSPHRASE_FILE', env);
  if (file !== undefined) {
    if (existsSync(file)) return undefined;
    throw new UserError(`PULUMI_CONFIG_PASSPHRASE_FILE names ${file}, which does not exist.`, { exitCode: 2 });
  }
  const { secretsprovider: provider = 'default', encryptionsalt } = settings;
  if (provider !== 'passphrase' && provider !== 'default') return undefined;
  // Pulumi Cloud encrypts by itself, except for a stack that has a passphrase, as its salt says. The variable goes before the file, as with plain pulumi.
  const isCloud = (variable('PULUMI_BACKEND_URL', env) ?? backend)?.startsWith('https://') === true;
  if (isCloud && provider === 'default' && encryptionsalt === undefined) return undefined;
  if (!ask) {
    throw new UserError(`Stack ${stack} needs the passphrase that its secrets are encrypted with, and there is no terminal to ask on.`, {
      exitCode: 2,
      remedy: 'Set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE with the path of a file that holds it.',
    });
  }
  return await askPassphrase(stack, encryptionsalt === undefined, ask);
}

/** A new passphrase is asked for twice: a slip of the finger would lock its owner out for good. */
async function askPassphrase(stack: string, isNew: boolean, ask: (question: string) => Promise<string>): Promise<string> {
  const passphrase = await ask(isNew ? `New passphrase for the secrets of stack ${stack}: ` : `Passphrase of stack ${stack}: `);
  if (isNew && (await ask('The same again: ')) !== passphrase) {
    throw new UserError('The two passphrases differ; nothing was done.', { exitCode: 2 });
  }
  return passphrase;
}

/** Asks on the terminal without showing what is typed; undefined where standard input is none. */
export function terminalQuestion(signal: AbortSignal, input: NodeJS.ReadableStream & { isTTY?: boolean } = process.stdin): ((question: string) => Promise<string>) | undefined {
  if (input.isTTY !== true) return undefined;
  return async (question) => {
    const silent = new Writable({ write: (_chunk, _encoding, done) => { done(); } });
    const terminal = createInterface({ input, output: silent, terminal: true });
    // In raw mode Ctrl-C is a key and no signal: hand it on as one.
    terminal.on('SIGINT', () => { process.kill(process.pid, 'SIGINT'); });
    process.stderr.write(question);
    try {
      return await Promise.race([terminal.question('', { signal }), once(terminal, 'close').then(() => { throw new Error('closed'); })]);
    } catch (cause) {
      signal.throwIfAborted();
      // Ctrl-D, or a terminal that is gone.
      throw new UserError('No passphrase was given; nothing was done.', { exitCode: 2, cause });
    } finally {
      terminal.close();
      process.stderr.write('\n');
    }
  };
}
