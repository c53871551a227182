import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { shellWord } from '../config/shell-word.ts';
import { UserError } from '../errors.ts';
import { located } from './options.ts';
import type { EnvironmentOptions } from './options.ts';
import { readProject, stackName } from './project.ts';
import { isThere } from './stackState.ts';
import type { StackFiles } from './stackState.ts';
import { variable } from './variable.ts';

/** The directory of the state that kbf keeps itself; undefined where `Pulumi.yaml` or the environment names another backend. */
export function ownState({ stateDir, ownBackend, hasBackend }: { stateDir: string; ownBackend?: boolean | undefined; hasBackend: boolean }, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const state = join(stateDir, 'state');
  const named = variable('PULUMI_BACKEND_URL', env);
  return ownBackend === true || named === fileUrl(state) || (named === undefined && !hasBackend) ? state : undefined;
}

/**
 * A backend of files by an absolute path, where the environment or `Pulumi.yaml` names one by a relative one: the CLI takes that from where it runs, which is in
 * another place for each operation.
 * @param base where it is taken from
 */
export function absoluteBackend(named: string | undefined, base: string): string | undefined {
  const path = named?.startsWith('file://') === true ? named.slice('file://'.length) : undefined;
  return path === undefined || /^[/~]/.test(path) ? undefined : `file://${resolve(inUrl(base), path)}`;
}

/** A directory as a backend of files. */
export function fileUrl(directory: string): string {
  return `file://${inUrl(directory)}`;
}

/** In the URL of a backend these characters mean something else; the CLI takes all others as they are. */
function inUrl(path: string): string {
  return path.replace(/[%#?]/g, encodeURIComponent);
}

/** Pulumi's home for a state of kbf's own: not the user's, so that a login elsewhere stays as it is. */
export function ownHome(stateDir: string): string {
  return join(stateDir, 'pulumi-home');
}

/**
 * Refuses to begin a state for a stack that plain `pulumi` would look for elsewhere, where somebody may have made it: a second one would take all of its
 * objects over.
 * @throws UserError (2) with both ways on
 */
export async function refuseSecondState(o: EnvironmentOptions, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  if (o.ownBackend === true || variable('PULUMI_BACKEND_URL', env) !== undefined) return;
  const { stack, stateDir, program, configFile } = located(o);
  const { project } = await readProject({ stack, program, configFile });
  const state = ownState({ stateDir, hasBackend: project.backend?.url !== undefined }, env);
  if (state === undefined || isThere({ state, project: project.name, stack: stackName(stack) } satisfies StackFiles)) return;
  const login = await loginOf(env);
  if (login === undefined || login.url === fileUrl(state)) return;
  throw new UserError(`Stack ${stack} has no state in ${state}, and ${login.from} says that plain pulumi keeps its states at ${withoutPassword(login.url)}: a second state of one stack would take over what the first one made.`, {
    exitCode: 2,
    remedy: `To work on the same state as pulumi: export PULUMI_BACKEND_URL=${shellWord(withoutPassword(login.url))}\nTo keep a state of its own here: export PULUMI_BACKEND_URL=${shellWord(fileUrl(state))}`,
  });
}

/** Where plain `pulumi` is logged in, and what says so. */
async function loginOf(env: NodeJS.ProcessEnv): Promise<{ url: string; from: string } | undefined> {
  const file = join(variable('PULUMI_CREDENTIALS_PATH', env) ?? variable('PULUMI_HOME', env) ?? join(homedir(), '.pulumi'), 'credentials.json');
  const url = await readFile(file, 'utf8').then((text) => (JSON.parse(text) as { current?: unknown }).current).catch(() => undefined);
  if (typeof url === 'string' && url !== '') return { url, from: file };
  return variable('PULUMI_ACCESS_TOKEN', env) === undefined ? undefined : { url: 'https://api.pulumi.com', from: 'PULUMI_ACCESS_TOKEN' };
}

/** What may be a secret in it is to be filled in by who knows it. */
function withoutPassword(text: string): string {
  if (!URL.canParse(text)) return text.replace(/:\/\/.*@/, '://<user and password>@').replace(/\?.*/, '?<options>');
  const url = new URL(text);
  if (url.password !== '') url.password = 'PASSWORD';
  else if (url.username !== '') url.username = 'USER';
  if (url.search !== '') url.search = '?OPTIONS';
  return url.toString();
}
