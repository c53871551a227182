/** The one door to `sandbox/`: everything else works without that directory, against clusters that exist already. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as machine from '../sandbox/index.ts';
import type { Sandbox } from '../sandbox/index.ts';
import type * as toolchain from '../sandbox/toolchain/index.ts';
import type { ToolPaths } from '../sandbox/toolchain/index.ts';
import { UserError } from '../errors.ts';
import type { EnvironmentOptions } from './options.ts';
import type { Starter } from './runWorker.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether this checkout has a sandbox at all. */
export function hasSandbox(): boolean {
  return existsSync(join(root, 'sandbox'));
}

/** What the commands use of the sandbox. */
export type SandboxModules =
  Pick<typeof machine, 'checkPrerequisites' | 'checkStart' | 'startSandbox' | 'openSandbox' | 'removeSandbox' | 'cleanLeftovers'> & Pick<typeof toolchain, 'ensureTools' | 'listTools' | 'toolPaths'>;

/** The sandbox's own modules. */
export async function sandboxModules(): Promise<SandboxModules> {
  if (!hasSandbox()) throw new UserError('This checkout has no sandbox/ directory.', { remedy: 'Name a stack of real clusters with --stack or --config.' });
  return { ...await import('../sandbox/index.ts'), ...await import('../sandbox/toolchain/index.ts') };
}

/** A running sandbox; an error that says how to start it where there is none. */
export async function runningSandbox(name: string, stateDir: string, { openSandbox }: SandboxModules): Promise<Sandbox> {
  const sandbox = await openSandbox(name, stateDir);
  if (sandbox) return sandbox;
  const others = await runningNames(stateDir, openSandbox);
  throw new UserError(`No sandbox named ${name} is running${others.length > 0 ? `; running: ${others.join(', ')}` : ''}.`, {
    exitCode: 2, remedy: `Start it with \`kbf sandbox up --name ${name}\`, or name a stack of real clusters with --stack or --config.`,
  });
}

async function runningNames(stateDir: string, openSandbox: SandboxModules['openSandbox']): Promise<string[]> {
  const known = await readdir(join(stateDir, 'sandboxes')).catch(() => []);
  const open = await Promise.all(known.map(async (name) => (await openSandbox(name, stateDir)) && name));
  return open.filter((name) => name !== undefined);
}

/** The stack of a sandbox: settings of `Pulumi.dev.yaml`, state that lives and dies with the sandbox. */
export function sandboxEnvironment(sandbox: Sandbox, { pulumiBin, plugins }: Pick<ToolPaths, 'pulumiBin' | 'plugins'>): EnvironmentOptions {
  const regions = sandbox.clusters.filter(({ role }) => role === 'region');
  return {
    stack: 'dev',
    stateDir: join(sandbox.dir, 'pulumi'),
    passphraseFile: join(sandbox.dir, 'pulumi', 'passphrase'),
    kubeconfig: sandbox.kubeconfig,
    pulumiBin,
    plugins,
    ownBackend: true,
    settings: {
      // Brokers and gateways are reached from inside the sandbox, which is where the program runs.
      checks: true,
      // The settings name two regions; a sandbox of more is described by its clusters.
      ...(regions.length === 2 ? {} : { regions: regions.map(({ name, region, zone }) => ({ name, context: name, tsbCluster: name, locality: { region, zone } })) }),
    },
  };
}

/** Starts programs inside a sandbox, from which no way leads to a proxy of this machine's. */
export function inside(sandbox: Pick<Sandbox, 'enter'>): Starter {
  return (argv, options) => sandbox.enter(argv, { ...options, env: { NO_PROXY: '*', ...options.env } });
}

/** The address outside the sandbox that leads to tier1, such as `127.0.0.1:43299`. */
export async function tier1Relay(sandbox: Sandbox): Promise<string | undefined> {
  const relays = Object.entries(await sandbox.relays());
  return relays.find(([name]) => /\/tier1:80$/.test(name))?.[1];
}
