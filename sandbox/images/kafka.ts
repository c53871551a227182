import { readdirSync } from 'node:fs';
import { UserError } from '../../errors.ts';
import { brokerFlags, classPath, log4j } from '../toolchain/kafka-jvm.ts';
import type { ContainerContext, Image } from './image.ts';

/**
 * `quay.io/strimzi/kafka`: a real broker. Its volume is made ready without Kafka's format tool, which would be a second JVM to start: with a
 * quorum from the configuration a data directory needs its identity only, and the broker takes its own newest metadata version.
 * @throws UserError when the image's Kafka is not the one that is here
 */
export const kafka: Image = (context) => {
  const { tools } = context;
  checkVersion(context);
  return {
    argv: ['/bin/sh', '/opt/kafka/kafka_run.sh', tools.java, ...brokerFlags(tools.java, tools.kafkaLibs), '-Dlog4j2.configurationFile=/opt/kafka/log4j2.yaml', '-cp', classPath(tools.kafkaLibs), 'kafka.Kafka', '/opt/kafka/custom-config/server.config'],
    files: { '/opt/kafka/kafka_run.sh': run, '/opt/kafka/log4j2.yaml': log4j },
  };
};

// The directory's id begins with no dash and is none of Kafka's reserved ones, which all begin with A's.
const run = `set -eu
cluster=$(cat /opt/kafka/custom-config/cluster.id)
for directory in $STRIMZI_LOG_DIRS; do
  if [ ! -f "$directory/meta.properties" ]; then
    mkdir -p "$directory"
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | tr -d '=')
    printf 'version=1\\ncluster.id=%s\\nnode.id=%s\\ndirectory.id=%s\\n' "$cluster" "$STRIMZI_NODE_ID" "$id" > "$directory/meta.properties.new"
    mv "$directory/meta.properties.new" "$directory/meta.properties"
  fi
done
java=$1
shift
exec "$java" \${STRIMZI_JAVA_SYSTEM_PROPERTIES:-} "$@"
`;

function checkVersion({ tools, container }: ContainerContext): void {
  const here = readdirSync(tools.kafkaLibs).map((file) => /^kafka_2\.13-(.*)\.jar$/.exec(file)?.[1]).find((version) => version !== undefined);
  const wanted = /-kafka-([0-9.]+)$/.exec(container.image ?? '')?.[1];
  if (here === undefined) throw new UserError(`${tools.kafkaLibs} holds no Kafka`, { remedy: 'remove it from the toolchain cache and install it again' });
  if (wanted !== undefined && wanted !== here) throw new UserError(`image ${container.image ?? ''} is Kafka ${wanted}, and this sandbox has Kafka ${here}`, { remedy: `set Kafka's version to ${here}` });
}
