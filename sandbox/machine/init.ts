/**
 * The process that builds and holds a sandbox, inside its tree of namespaces: `node init.ts --dir DIR`, started by start.ts.
 * Its parent is a shell that is process 1 and reaps what has lost its parent. When either ends, the kernel ends all the rest.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { messageOf, UserError } from '../../errors.ts';
import { installAddons } from './addon-runner.ts';
import { bringUp } from './bring-up.ts';
import { serveControl } from './control.ts';
import type { TreeContext } from './control-plane.ts';
import { buildNetwork } from './network.ts';
import type { FromStarter, Targets, ToStarter } from './protocol.ts';
import { apiServerTargets, watchServices } from './relay-targets.ts';
import { controlSocket, readJson, readState } from './state.ts';
import type { TreeTools } from './state.ts';
import { Supervisor } from './supervisor.ts';

const { values: { dir = '' } } = parseArgs({ options: { dir: { type: 'string' } } });
const abort = new AbortController();
const supervisor = new Supervisor((name, detail) => { say('ended', `${name} ${detail}`); });

let detached = false;
process.on('disconnect', () => { if (!detached) process.exit(1); });
process.on('message', (message: FromStarter) => {
  detached = message.kind === 'detach';
  tell({ kind: 'detached' });
});
// Its channel may have closed before the handler above was there.
if (!process.connected) process.exit(1);

try {
  await Promise.race([main(), supervisor.broken]);
  tell({ kind: 'ready' });
  // The kernel ends what was started.
} catch (error) {
  console.error(error);
  const remedy = error instanceof UserError ? error.remedy : undefined;
  const message = messageOf(error);
  tell({ kind: 'failed', message, ...(remedy === undefined ? {} : { remedy }) }, () => process.exit(1));
}

async function main(): Promise<void> {
  say('namespaces');
  const state = await readState(dir);
  const tools = await readJson<TreeTools>(join(dir, 'tools.json'));
  if (state === undefined || tools === undefined) throw new Error(`${dir} holds no sandbox`);
  await Promise.all(['logs', 'tmp'].map((name) => mkdir(join(dir, name), { recursive: true, mode: 0o700 })));
  const { clusters } = state;
  // The environment came from start.ts, already reduced to what a server may see.
  const t: TreeContext = { dir, tools, signal: abort.signal, env: process.env as Record<string, string> };
  await buildNetwork(clusters);
  await execa('mount', ['--bind', join(dir, 'hosts'), '/etc/hosts']);
  let services: Targets = {};
  const control = await serveControl(controlSocket(state), {
    stop,
    status: () => ({ processes: supervisor.report() }),
    targets: () => ({ ...apiServerTargets(clusters), ...services }),
  });
  await bringUp(t, clusters, supervisor, say);
  await Promise.all([
    watchServices(join(dir, 'kubeconfig'), clusters, (all) => {
      services = all;
      control.targetsChanged();
    }),
    installAddons(t, (detail) => { say('add-on', detail); }),
  ]);
}

async function stop(): Promise<void> {
  abort.abort(new Error('the sandbox was stopped'));
  await supervisor.stop();
}

function say(phase: string, detail?: string): void {
  console.log(phase, detail ?? '');
  tell({ kind: 'event', phase, ...(detail === undefined ? {} : { detail }) });
}

function tell(message: ToStarter, sent?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else sent?.();
}
