import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import type { ContainerContext, Image, Launch } from './image.ts';

const config = '/opt/strimzi/custom-config/application.properties';

/** `quay.io/strimzi/kafka-bridge`: the official release where it could be had, else this repository's reference bridge. */
export const kafkaBridge: Image = (context) => {
  const { tools, hasSidecar } = context;
  const launch = tools.kafkaBridge === undefined ? reference(context) : official(context, tools.kafkaBridge);
  // Behind a sidecar only that may reach it. An environment variable named like a key overrides the file.
  return hasSidecar ? { ...launch, env: { ...launch.env, 'http.host': '127.0.0.1' } } : launch;
};

function reference({ tools }: ContainerContext): Launch {
  // A bridge keeps little: a small young generation costs nothing in latency and saves a third of its memory.
  return { argv: [tools.node, '--max-semi-space-size=2', '--max-old-space-size=256', join(tools.project, 'sandbox/bridge/main.ts'), '--config-file', config] };
}

function official({ tools }: ContainerContext, home: string): Launch {
  const libs = join(home, 'libs');
  const jars = readdirSync(libs).filter((file) => file.endsWith('.jar')).sort();
  if (jars.length === 0) throw new UserError(`${libs} holds no jars: the bridge's release is not whole`, { remedy: 'remove it from the toolchain cache and install it again' });
  return {
    argv: [
      tools.java, '-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dvertx.cacheDirBase=/tmp/vertx-cache', '-cp', jars.map((jar) => join(libs, jar)).join(':'),
      'io.strimzi.kafka.bridge.Application', `--config-file=${config}`,
    ],
  };
}
