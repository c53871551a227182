import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../errors.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import { refuseSecondState } from '../backend.ts';
import { askedPassphrase } from '../options.ts';
import type { EnvironmentOptions } from '../options.ts';
import { showTools } from '../live.ts';
import { terminalQuestion } from '../passphrase.ts';
import { stackOfFile } from '../project.ts';
import { rememberedAt } from '../remembered.ts';
import type { Way, WorkerOptions } from '../runWorker.ts';
import { hasSandbox, inside, runningSandbox, sandboxEnvironment } from '../sandboxes.ts';
import type { Session } from '../session.ts';
import { defaults, sandboxName } from './values.ts';

/** Which clusters a command works on: one of these at most, or settings on a sandbox. */
export interface TargetFlags {
  stack?: string;
  config?: string;
  sandbox?: string;
}

/** The clusters a command works on, and how to work on them. */
export interface Target {
  /** As a person named it. */
  name: string;
  isSandbox: boolean;
  sandbox?: Sandbox;
  environment: EnvironmentOptions;
  worker: Pick<WorkerOptions, 'start' | 'env'>;
  kubeconfig: Way;
  /** Where a drill keeps its journal. */
  drillDir: string;
}

export function addTargetOptions(command: Command): Command {
  return command
    .option('--stack <name>', `a stack whose settings are in Pulumi.<name>.yaml (default: dev, on the sandbox ${defaults.sandbox})`)
    .option('--config <file>', 'a Pulumi.<stack>.yaml anywhere')
    .option('--sandbox <name>', 'the stack dev, or the one of --config, on this sandbox', sandboxName);
}

/** Finds the clusters that are meant: a running sandbox, or a stack of clusters that exist already. */
export async function findTarget(session: Session, flags: TargetFlags): Promise<Target> {
  const environment = settingsOf(session, flags);
  return isOnSandbox(flags) ? await sandboxTarget(session, flags.sandbox ?? defaults.sandbox, environment) : await stackTarget(session, environment);
}

/** The same for a command that reads or writes the state: of a stack of real clusters it must not begin a second one. */
export async function findTargetWithState(session: Session, flags: TargetFlags): Promise<Target> {
  if (!isOnSandbox(flags)) await refuseSecondState(settingsOf(session, flags));
  return await findTarget(session, flags);
}

/** Whether the clusters that are meant are a sandbox's. */
export function isOnSandbox({ stack = 'dev', config, sandbox }: TargetFlags): boolean {
  return sandbox !== undefined || (config === undefined && stack === 'dev');
}

/** The settings that are meant, whatever clusters they are for. */
export function settingsOf(session: Session, flags: TargetFlags): EnvironmentOptions & { stack: string } {
  const named = Object.entries(flags).filter(([flag, value]) => ['stack', 'config', 'sandbox'].includes(flag) && value !== undefined);
  // Settings of one's own on a sandbox's clusters: these two go together.
  if (named.length > 1 && flags.stack !== undefined) {
    throw new UserError(`${named.map(([flag]) => `--${flag}`).join(' and ')} name different things.`, { exitCode: 2, remedy: 'Give one of them.' });
  }
  const stateDir = resolve(session.stateDir);
  return flags.config === undefined ? { stack: flags.stack ?? 'dev', stateDir } : { stack: stackOfFile(flags.config), stateDir, configFile: resolve(flags.config) };
}

async function sandboxTarget(session: Session, name: string, { stack, configFile }: EnvironmentOptions): Promise<Target> {
  const sandbox = await runningSandbox(name, resolve(session.stateDir), await session.here.modules());
  const environment = sandboxEnvironment(sandbox, { pulumiBin: await pulumiBin(session), plugins: await sandbox.plugins() });
  return {
    name: `sandbox ${name}`, isSandbox: true, sandbox,
    environment: { ...environment, ...(configFile === undefined ? {} : { configFile, stack: stack ?? environment.stack, settings: {} }) },
    worker: { start: inside(sandbox) },
    kubeconfig: sandbox.kubeconfig,
    drillDir: join(sandbox.dir, 'drill'),
  };
}

async function stackTarget(session: Session, environment: EnvironmentOptions & { stack: string }): Promise<Target> {
  const { stack } = environment;
  const passphrase = await askedPassphrase(environment, terminalQuestion(session.signal));
  return {
    name: `stack ${stack}`, isSandbox: false,
    environment: { ...environment, ...(hasSandbox() ? { pulumiBin: await pulumiBin(session) } : {}) },
    worker: passphrase === undefined ? {} : { env: { PULUMI_CONFIG_PASSPHRASE: passphrase } },
    kubeconfig: environment,
    // Few commands want it, and it is not always clear which it is.
    get drillDir() { return rememberedAt(resolve(session.stateDir, 'drill'), stack); },
  };
}

async function pulumiBin(session: Session): Promise<string> {
  const { ensureTools } = await session.here.modules();
  const tools = await ensureTools(['pulumi'], { signal: session.signal, onEvent: showTools(session.progress(true)) });
  return join(tools.get('pulumi')?.home ?? '', 'bin');
}
