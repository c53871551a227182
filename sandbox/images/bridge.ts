import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import type { ContainerContext, Image } from './image.ts';

/** From the bridge's ConfigMap, as the operator mounts it. */
const mounted = '/opt/strimzi/custom-config/application.properties';
/** The same with the address to listen on. */
const config = '/opt/application.properties';

/** `quay.io/strimzi/kafka-bridge`: the official release where it could be had, else this repository's reference bridge. */
export const kafkaBridge: Image = (context) => {
  const { tools, hasSidecar } = context;
  const argv = tools.kafkaBridge === undefined ? reference(context) : official(context, tools.kafkaBridge);
  // Behind a sidecar only that may reach it.
  const address = hasSidecar ? '127.0.0.1' : '0.0.0.0';
  return { argv: ['/bin/sh', '-c', `sed 's/^http[.]host=.*/http.host=${address}/' ${mounted} > ${config} && exec "$@"`, 'sh', ...argv] };
};

function reference({ tools }: ContainerContext): string[] {
  // A bridge keeps little: a small young generation costs nothing in latency and saves a third of its memory.
  return [tools.node, '--max-semi-space-size=2', '--max-old-space-size=256', join(tools.project, 'sandbox/bridge/main.ts'), '--config-file', config];
}

function official({ tools }: ContainerContext, home: string): string[] {
  const libs = join(home, 'libs');
  const jars = readdirSync(libs).filter((file) => file.endsWith('.jar')).sort();
  if (jars.length === 0) throw new UserError(`${libs} holds no jars: the bridge's release is not whole`, { remedy: 'remove it from the toolchain cache and install it again' });
  return [
    tools.java, '-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dvertx.cacheDirBase=/tmp/vertx-cache', '-cp', jars.map((jar) => join(libs, jar)).join(':'),
    'io.strimzi.kafka.bridge.Application', `--config-file=${config}`,
  ];
}
