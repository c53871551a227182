import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { UserError } from '../../errors.ts';
import { line } from './lines.ts';
import type { ControlRequest, StatusReport, Targets } from './protocol.ts';
import { controlSocket } from './state.ts';
import type { SandboxState } from './state.ts';

/** A connection to the tree with its request sent. @throws Error when no one listens there */
export async function openControl(state: Pick<SandboxState, 'sockets'>, request: ControlRequest): Promise<Socket> {
  const socket = connect({ path: controlSocket(state), allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(line(request));
  return socket;
}

export async function askStatus(state: SandboxState, signal: AbortSignal): Promise<StatusReport> {
  return JSON.parse(await oneLine(state, { op: 'status' }, signal)) as StatusReport;
}

/** Resolves when everything but the tree's first process has ended, in order. */
export async function askStop(state: SandboxState, signal: AbortSignal): Promise<void> {
  await oneLine(state, { op: 'stop' }, signal);
}

/** All targets at once and after each change; ends when the tree does. */
export async function* watchTargets(state: Pick<SandboxState, 'sockets'>): AsyncGenerator<Targets> {
  const socket = await openControl(state, { op: 'targets' });
  // A reset is an end like any other.
  socket.on('error', () => socket.destroy());
  try {
    for await (const text of createInterface(socket)) yield JSON.parse(text) as Targets;
  } finally {
    socket.destroy();
  }
}

async function oneLine(state: SandboxState, request: ControlRequest, signal: AbortSignal): Promise<string> {
  const socket = await openControl(state, request);
  // With an error: a socket that is only destroyed never ends the loop below.
  const cancel = () => socket.destroy(new UserError(`the sandbox ${state.name} did not answer "${request.op}" in time`, { remedy: 'Look whether the machine is busy, and try again.' }));
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const text of createInterface(socket)) return text;
    throw new Error(`the sandbox ${state.name} did not answer "${request.op}"`);
  } finally {
    signal.removeEventListener('abort', cancel);
    socket.destroy();
  }
}
