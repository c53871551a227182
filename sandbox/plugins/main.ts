/** A stand-in as the engine starts it: `main.ts <plugin> [address of the engine]`. */
import { main } from '@pulumi/pulumi/provider/server.js';
import { engineLog } from './engine-log.ts';
import type { Log } from './engine-log.ts';
import type { StandIn } from './stand-in.ts';

const plugins: Readonly<Record<string, () => Promise<(log: Log) => StandIn>>> = {
  command: async () => (await import('./command.ts')).commandPlugin,
  tls: async () => (await import('./tls.ts')).tlsPlugin,
};

const [name = '', ...args] = process.argv.slice(2);
const plugin = plugins[name];
if (plugin === undefined) throw new Error(`there is no stand-in for ${name}, only for ${Object.keys(plugins).join(' and ')}`);
// The engine puts options of its logging before its address.
const standIn = (await plugin())(engineLog(args.find((arg) => /^[\w.-]+:\d+$/.test(arg))));

// A command is in a process group of its own, so nobody else ends it: not the engine that ends this process's group, nor one that was killed.
const engine = process.ppid;
const stop = (): void => { void standIn.cancel().finally(() => { process.exit(); }); };
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
setInterval(() => { if (process.ppid !== engine) stop(); }, 1_000).unref();

await main(standIn, args);
