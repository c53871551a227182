import { once } from 'node:events';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { SourceError } from './command.ts';
import { archiveIn, classPath, jvmFlags, log4j, releaseOf } from './kafka-jvm.ts';
import type { Work } from './tool.ts';

const started = 'Kafka Server started';
/** Enough for a machine that is busy with much else. */
const limitMs = 300_000;

/**
 * Makes the archive that lets later brokers start in less than half the time (4.5 s to 1.9 s, measured): one broker is started on loopback with an
 * empty directory, and on its way out the JVM writes down what it had loaded. It takes about 15 s and 70 MB. Brokers start without it as well, so
 * that a machine on which this does not succeed has a Kafka all the same.
 */
export async function addArchive(work: Work): Promise<void> {
  const { archive, madeBy } = archiveIn(work.home);
  const java = join(await work.homeOf('java'), 'bin/java');
  work.report('starting a broker once, for the next ones to start faster');
  try {
    await train({ java, libs: join(work.home, 'libs'), archive, directory: join(work.scratch, 'training'), signal: work.signal });
    await copyFile(releaseOf(java), madeBy);
  } catch (error) {
    work.signal?.throwIfAborted();
    await rm(archive, { force: true });
    work.report(`brokers will start slowly: ${(error as Error).message}`);
  }
}

interface Training {
  java: string;
  libs: string;
  archive: string;
  /** Made, and left to be removed. */
  directory: string;
  signal: AbortSignal | undefined;
}

async function train({ java, libs, archive, directory, signal }: Training): Promise<void> {
  await prepare(directory);
  const log4jFile = `-Dlog4j2.configurationFile=${join(directory, 'log4j2.yaml')}`;
  const broker = execa('setpriv', [
    '--pdeathsig', 'KILL', '--', java, ...jvmFlags, `-XX:AOTCacheOutput=${archive}`, log4jFile, '-cp', classPath(libs), 'kafka.Kafka', join(directory, 'server.properties'),
  ], {
    stdin: 'ignore', reject: false, all: true, timeout: limitMs, killDescendants: true,
    // It is asked to end once, and may take its time then; where it is not wanted any more it is not asked.
    killSignal: 'SIGKILL', forceKillAfterDelay: false, ...(signal ? { cancelSignal: signal } : {}),
  });
  createInterface(broker.stdout).on('line', (line) => { if (line.includes(started)) broker.kill('SIGTERM'); });
  const { exitCode, signal: killedBy, all } = await broker;
  // A JVM that was asked to end says 143.
  if (exitCode === 143 || exitCode === 0) return;
  throw new SourceError(`Kafka did not start (${killedBy ?? `exit code ${String(exitCode)}`}): ${all.split('\n').slice(-20).join('\n')}`);
}

async function prepare(directory: string): Promise<void> {
  const data = join(directory, 'data');
  await mkdir(data, { recursive: true });
  const [client, controller] = await freePorts();
  await writeFile(join(data, 'meta.properties'), 'version=1\ncluster.id=kafkaTrainingClusterIdA\nnode.id=0\ndirectory.id=xTrainingDirectoryIdAA\n');
  await writeFile(join(directory, 'log4j2.yaml'), log4j);
  await writeFile(join(directory, 'server.properties'), [
    'process.roles=broker,controller', 'node.id=0', `controller.quorum.voters=0@127.0.0.1:${String(controller)}`,
    `listeners=CLIENT://127.0.0.1:${String(client)},CONTROLLER://127.0.0.1:${String(controller)}`, 'inter.broker.listener.name=CLIENT', 'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT', 'offsets.topic.replication.factor=1', `log.dirs=${data}`, '',
  ].join('\n'));
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) server.close();
  return ports as [number, number];
}
