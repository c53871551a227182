import { request } from 'node:http';
import { connect } from 'node:net';
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Container, V1HTTPGetAction, V1Probe } from '@kubernetes/client-node';
import { messageOf } from '../../errors.ts';
import { signalGroup } from './container-process.ts';
import { enter } from './inside.ts';
import type { Inside } from './inside.ts';
import { longestDelayMs } from './timers.ts';
import type { Json } from './types.ts';

type Probe = Json<V1Probe>;

export interface ProbeTarget extends Inside {
  readonly podIp: string;
  /** The address that they come from. */
  readonly probeIp?: string;
  /** Named ports are looked up here. */
  readonly container: Json<V1Container>;
}

export interface ProbeResult { readonly ok: boolean; readonly message: string }

/**
 * Probes at its period until the signal; the first time after its initial delay.
 * @param changed Told when as many results in a row as the probe's threshold asks for say so, and again for each further one.
 * @param failedOnce Told of each single failure.
 */
export async function runProbe(probe: Probe, target: ProbeTarget, on: { changed: (ok: boolean, message: string) => void; failedOnce: (message: string) => void }, signal: AbortSignal): Promise<void> {
  const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = probe;
  let inRow = 0;
  let last: boolean | undefined;
  await sleep(initialDelaySeconds * 1000, signal);
  while (!signal.aborted) {
    const begun = performance.now();
    const { ok, message } = await probeOnce(probe, target);
    // A container that ended meanwhile has no health any more.
    if (signal.aborted) return;
    inRow = ok === last ? inRow + 1 : 1;
    last = ok;
    if (!ok) on.failedOnce(message);
    if (inRow >= (ok ? successThreshold : failureThreshold)) on.changed(ok, message);
    await sleep(periodSeconds * 1000 - (performance.now() - begun), signal);
  }
}

/**
 * From the node to the pod's address, like a kubelet; only a command runs in the container itself. It never rejects: a probe that cannot
 * be made, as with a header that HTTP does not allow, has failed.
 */
export async function probeOnce(probe: Pick<Probe, 'httpGet' | 'tcpSocket' | 'exec' | 'timeoutSeconds'>, target: ProbeTarget): Promise<ProbeResult> {
  // Whole, as an AbortSignal asks for: a hook has what is left of a grace.
  const timeoutMs = Math.min(Math.max(Math.round((probe.timeoutSeconds ?? 1) * 1000), 0), longestDelayMs);
  try {
    if (probe.httpGet !== undefined) return await httpGet(probe.httpGet, target, timeoutMs);
    if (probe.tcpSocket !== undefined) return await tcpConnect(probe.tcpSocket.host ?? target.podIp, portOf(probe.tcpSocket.port, target), { ...from(target), timeoutMs });
    if (probe.exec !== undefined) return await runInContainer(probe.exec.command ?? [], target, timeoutMs);
    return { ok: true, message: '' };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function httpGet({ path: asked = '/', port, host, httpHeaders = [] }: V1HTTPGetAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const path = requestPath(asked);
  return new Promise((resolve) => {
    const headers = Object.fromEntries([['user-agent', 'kube-probe/1.34'], ['accept', '*/*'], ...httpHeaders.map(({ name, value }) => [name, value])]) as Record<string, string>;
    const outgoing = request({ host: host ?? target.podIp, port: portOf(port, target), path, headers, ...from(target), agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const code = response.statusCode ?? 0;
      response.on('error', () => undefined).resume();
      resolve({ ok: code >= 200 && code < 400, message: `HTTP probe failed with statuscode: ${code}` });
    });
    outgoing.on('error', (error) => { resolve({ ok: false, message: `Get "http://${host ?? target.podIp}:${portOf(port, target)}${path}": ${describe(error)}` }); }).end();
  });
}

/** As a kubelet sends it: in the path what needs it is escaped, the query stays as it is, a fragment is left out. */
function requestPath(asked: string): string {
  const [, path = '', query = ''] = /^([^?#]*)([^#]*)/.exec(asked) ?? [];
  const escaped = path.replace(/[^!-~]|["<>\\^`{|}]|%(?![\dA-Fa-f]{2})/gu, (character) => encodeURIComponent(character));
  return `${path.startsWith('/') ? '' : '/'}${escaped}${query}`;
}

function from({ probeIp }: ProbeTarget): { localAddress?: string } {
  return probeIp === undefined ? {} : { localAddress: probeIp };
}

function tcpConnect(host: string, port: number, { localAddress, timeoutMs }: { localAddress?: string; timeoutMs: number }): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }), signal: AbortSignal.timeout(timeoutMs) });
    socket.on('connect', () => { socket.destroy(); resolve({ ok: true, message: '' }); });
    socket.on('error', (error) => { socket.destroy(); resolve({ ok: false, message: `dial tcp ${host}:${port}: ${describe(error)}` }); });
  });
}

/** Runs a command in all of a container's namespaces; its output is the message. When its time is over, its whole process group ends. */
function runInContainer(command: readonly string[], inside: Inside, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const [program = '', ...args] = enter(inside, command);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: inside.env });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    }, timeoutMs);
    let output = '';
    const take = (text: Buffer) => { if (output.length < 1024) output += text.toString(); };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => { clearTimeout(timer); resolve({ ok: false, message: error.message }); });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ ok: code === 0, message: timedOut ? `command ${JSON.stringify(command)} timed out` : output.trim() || `exit code ${code ?? ''}` });
    });
  });
}

/** A port's number; a name is one of the container's ports. Zero, which nothing listens on, when there is no such name. */
function portOf(port: number | string, { container }: ProbeTarget): number {
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? (Number(port) || 0);
}

function describe(error: Error & { code?: string }): string {
  return error.name === 'AbortError' || error.name === 'TimeoutError' ? 'context deadline exceeded (timeout)' : error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message;
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.min(Math.max(ms, 0), longestDelayMs), undefined, { signal }).catch(() => undefined);
}
