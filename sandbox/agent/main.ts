import { execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../../errors.ts';
import type { SandboxState, TreeTools } from '../machine/state.ts';
import { ClusterAgent } from './cluster-agent.ts';
import { endPreviousLife } from './container-process.ts';
import { hostParts } from './host-mounts.ts';
import { removeLeftNetworks } from './network.ts';
import { workDir } from './node-context.ts';
import { SilentPods } from './silence.ts';

/** Pods end within this when the agent is told to end. */
const stopSeconds = 15;
const commands = ['ip', 'unshare', 'nsenter', 'mount', 'umount', 'pivot_root', 'hostname'];

/** The node agent of all of a sandbox's clusters. It runs as the root of the sandbox's tree, in its first network namespace. */
async function main(): Promise<void> {
  const { values: { dir } } = parseArgs({ options: { dir: { type: 'string' } } });
  if (dir === undefined) throw new UserError('--dir is missing', { exitCode: 2, remedy: 'Say which sandbox directory to serve: --dir DIR.' });
  needCommands();
  const { clusters } = JSON.parse(await readFile(join(dir, 'sandbox.json'), 'utf8')) as SandboxState;
  const tools = JSON.parse(await readFile(join(dir, 'tools.json'), 'utf8')) as TreeTools;
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const ended = await endPreviousLife(workDir);
  if (ended > 0) console.log(`ended ${ended} containers of an agent before this one`);
  await Promise.all((await readdir(workDir)).map((name) => rm(join(workDir, name), { recursive: true, force: true })));
  await removeLeftNetworks();
  // The packages may be a link out of the project, as in a second work tree.
  const packages = await realpath(join(tools.project, 'node_modules'));
  const host = hostParts([...Object.values(tools).flat(), packages], dirname(dirname(dir)));
  const silentPods = new SilentPods();
  silentPods.clear();
  const agents = clusters.map((cluster) => new ClusterAgent({ dir, tools, host, silentPods, cluster }));
  stopOnSignals(agents);
  await Promise.all(agents.map((agent) => agent.start()));
  console.log('ready');
}

function stopOnSignals(agents: readonly ClusterAgent[]): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void Promise.all(agents.map((agent) => agent.stop(stopSeconds))).finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

function needCommands(): void {
  const found = execFileSync('sh', ['-c', `for c in ${commands.join(' ')}; do command -v "$c" || true; done`], { encoding: 'utf8' });
  const missing = commands.filter((command) => !found.split('\n').some((path) => path.endsWith(`/${command}`)));
  if (missing.length > 0) throw new UserError(`these commands are missing: ${missing.join(', ')}`, { remedy: 'Install util-linux, iproute2 and hostname.' });
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? [error.message, error.remedy].filter(Boolean).join('\n') : error);
  process.exit(error instanceof UserError ? error.exitCode : 1);
});
