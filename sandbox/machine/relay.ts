/**
 * The outside end of the relays: `node relay.ts --dir DIR`, a process outside the tree that listens on loopback ports and passes
 * connections through the tree's unix socket. It follows the tree's targets, and ends by itself when the tree does.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { parseArgs } from 'node:util';
import { openControl, watchTargets } from './control-client.ts';
import { join } from './lines.ts';
import { readRelays, writeRelays } from './relays.ts';
import { readState } from './state.ts';
import type { SandboxState } from './state.ts';

const { values: { dir = '' } } = parseArgs({ options: { dir: { type: 'string' } } });
const state = await readState(dir);
if (state === undefined) throw new Error(`${dir} holds no sandbox`);
// Whoever bookmarked a port finds the same one after a restart, if it is free.
const before = (await readRelays(dir))?.relays ?? {};
const servers = new Map<string, Server>();

for await (const targets of watchTargets(state)) {
  for (const [name, server] of servers) {
    if (name in targets) continue;
    server.close();
    servers.delete(name);
  }
  for (const name of Object.keys(targets)) {
    if (!servers.has(name)) servers.set(name, await listen(state, name, portOf(before[name])));
  }
  await writeRelays(dir, state, Object.fromEntries([...servers].map(([name, server]) => [name, addressOf(server)])));
}
// Open connections have lost their other end as well.
process.exit(0);

async function listen(tree: SandboxState, name: string, wanted: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => client.destroy());
    openControl(tree, { op: 'connect', to: name }).then((upstream) => { join(client, upstream); }, () => client.destroy());
  });
  try {
    await once(server.listen(wanted, '127.0.0.1'), 'listening');
  } catch (error) {
    if (wanted === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return listen(tree, name, 0);
  }
  return server;
}

function portOf(address: string | undefined): number {
  return Number(address?.split(':')[1] ?? 0);
}

function addressOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
