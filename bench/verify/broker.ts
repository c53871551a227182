import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { classPath, jvmFlags, log4j } from '../../sandbox/toolchain/kafka-jvm.ts';

export interface Broker extends AsyncDisposable {
  bootstrapServers: string;
}

/** One broker on loopback, with an empty directory; it ends with its owner, and a terminal's Ctrl-C is the owner's alone. @param signal ends its start */
export async function startBroker({ java, libs, directory, signal }: { java: string; libs: string; directory: string; signal: AbortSignal }): Promise<Broker> {
  const data = join(directory, 'data');
  await mkdir(data, { recursive: true });
  const [client, controller] = [await freePort(), await freePort()];
  await writeFile(join(data, 'meta.properties'), 'version=1\ncluster.id=kafkaBenchClusterIdAAA\nnode.id=0\ndirectory.id=xBenchDirectoryIdAAAAA\n');
  await writeFile(join(directory, 'log4j2.yaml'), log4j);
  await writeFile(join(directory, 'server.properties'), [
    'process.roles=broker,controller', 'node.id=0', `controller.quorum.voters=0@127.0.0.1:${controller}`,
    `listeners=CLIENT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}`, 'inter.broker.listener.name=CLIENT', 'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT', 'offsets.topic.replication.factor=1', 'group.initial.rebalance.delay.ms=0', `log.dirs=${data}`, '',
  ].join('\n'));
  const broker = execa('setpriv', [
    '--pdeathsig', 'KILL', '--', java, ...jvmFlags, '-Xmx512m', `-Dlog4j2.configurationFile=${join(directory, 'log4j2.yaml')}`, '-cp', classPath(libs), 'kafka.Kafka', join(directory, 'server.properties'),
  ], { stdin: 'ignore', reject: false, all: true, buffer: false, detached: true });
  const lines = createInterface(broker.all);
  const end = async (): Promise<void> => {
    broker.kill('SIGKILL');
    await broker;
  };
  try {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => { if (line.includes('Kafka Server started')) resolve(); });
      void broker.then(({ exitCode }) => { reject(new Error(`Kafka did not start (exit code ${String(exitCode)})`)); });
      signal.addEventListener('abort', () => { reject(signal.reason as Error); }, { once: true });
    });
  } catch (error) {
    await end();
    throw error;
  }
  return { bootstrapServers: `127.0.0.1:${client}`, [Symbol.asyncDispose]: end };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
