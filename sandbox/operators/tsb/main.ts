import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { connect } from './connection.ts';
import { runOperator } from './operator.ts';

// The stand-in's process: a kubeconfig per cluster from a mounted Secret, readiness on port 8080, ended by SIGTERM.
const directory = process.env['TSB_KUBECONFIGS'] ?? '/etc/tsb/kubeconfigs';
const files = (await readdir(directory)).filter((name) => !name.startsWith('.')); // a Secret volume has dotted links beside its keys
const connections = await Promise.all(files.map(async (name) => connect(await readFile(join(directory, name), 'utf8'))));

const stop = new AbortController();
const operator = runOperator({ connections, signal: stop.signal, log: (line) => console.log(new Date().toISOString(), line) });
const server = createServer((_, response) => response.writeHead(operator.ready ? 200 : 503).end()).listen(Number(process.env['PORT'] ?? 8080));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    stop.abort();
    server.close();
    server.closeAllConnections();
    setTimeout(() => process.exit(0), 200).unref();
  });
}
