import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.ts';
import { until } from '../process.ts';
import { kubeconfigWriter } from './kubeconfig.ts';
import { pkiFiles } from './pki-files.ts';
import { writePrivate } from './private-file.ts';
import { identify, isAlive, readJson, writeJson } from './state.ts';
import type { ProcessId, SandboxState } from './state.ts';

/** `relays.json`: the relay process, and where it listens for what: name to `host:port`. */
export interface RelayFile { readonly process: ProcessId; readonly relays: Record<string, string> }

export function readRelays(dir: string): Promise<RelayFile | undefined> {
  return readJson<RelayFile>(join(dir, 'relays.json'));
}

/** By the relay process itself: what it offers now, and the kubeconfig that goes with it. */
export async function writeRelays(dir: string, state: SandboxState, relays: Record<string, string>): Promise<void> {
  const { ca, admin } = pkiFiles(dir);
  const write = await kubeconfigWriter(ca, admin);
  await writePrivate(join(dir, 'kubeconfig.outside'), write(state.clusters.map((cluster) => ({
    cluster, server: `https://${relays[`${cluster.name}/apiserver`] ?? ''}`,
    // The certificate names no loopback address, and need not.
    tlsServerName: 'kubernetes',
  }))));
  const process_ = await identify(process.pid);
  await writeJson(join(dir, 'relays.json'), { process: process_, relays });
}

/**
 * The relays of a running sandbox; starts their process when it does not run. It ends by itself with the sandbox.
 * @throws UserError when it does not come up
 */
export async function ensureRelays(dir: string, signal?: AbortSignal): Promise<Record<string, string>> {
  const current = await readRelays(dir);
  if (current !== undefined && await isAlive(current.process)) return current.relays;
  const log = join(dir, 'logs', 'relay.log');
  const pid = startRelay(dir, log);
  let started: RelayFile | undefined;
  await until(async () => {
    started = await readRelays(dir);
    if (started?.process.pid !== pid) throw new Error('not yet');
  }, AbortSignal.any([AbortSignal.timeout(15_000), ...(signal === undefined ? [] : [signal])])).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new UserError('the relay to the sandbox did not start within 15 s', { remedy: `See ${log}.`, cause });
  });
  return started?.relays ?? {};
}

/** Detached, because it lives as long as the tree and not as long as the command that needed it first. */
function startRelay(dir: string, log: string): number | undefined {
  const output = openSync(log, 'a', 0o600);
  const program = fileURLToPath(new URL('relay.ts', import.meta.url));
  const child = spawn(process.execPath, [program, '--dir', dir], { detached: true, cwd: dir, stdio: ['ignore', output, output] });
  closeSync(output);
  child.on('error', () => undefined);
  child.unref();
  return child.pid;
}
