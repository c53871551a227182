import { readdirSync } from 'node:fs';
import { UserError } from '../../errors.ts';
import { brokerFlags, classPath, log4j } from '../toolchain/kafka-jvm.ts';
import type { Image } from './image.ts';

/**
 * `quay.io/strimzi/kafka`: a real broker of the version that the tag says. Its volume is made ready without Kafka's format tool, which would be a
 * second JVM to start: with a quorum from the configuration a data directory needs its identity only, and the broker takes its own newest metadata version.
 * For another one the tool is needed.
 * @throws UserError when the image's Kafka is none that is here
 */
export const kafka: Image = ({ tools, container }) => {
  const libs = libsOf(container.image ?? '', [tools.kafkaLibs, ...(tools.kafkaOlderLibs === undefined ? [] : [tools.kafkaOlderLibs])]);
  return {
    argv: ['/bin/sh', '/opt/kafka/kafka_run.sh', tools.java, ...brokerFlags(tools.java, libs), '-Dlog4j2.configurationFile=/opt/kafka/log4j2.yaml', '-cp', classPath(libs), 'kafka.Kafka', '/opt/kafka/custom-config/server.config'],
    env: { CLASSPATH: classPath(libs) },
    files: { '/opt/kafka/kafka_run.sh': run, '/opt/kafka/log4j2.yaml': log4j },
  };
};

/**
 * What the cleaner of logs holds from its start on. Kafka's own 128 MiB are half of such a broker's heap, which then has room for next to nothing: a
 * pause of a tenth of a second every few seconds (measured). This is enough for some 150,000 keys.
 */
const cleanerBytes = 4 * 1024 * 1024;

// The directory's id begins with no dash and is none of Kafka's reserved ones, which all begin with A's.
const run = `set -eu
java=$1
shift
cluster=$(cat /opt/kafka/custom-config/cluster.id)
if [ -f /opt/kafka/custom-config/metadata.version ] && [ ! -f "\${STRIMZI_LOG_DIRS%% *}/meta.properties" ]; then
  "$java" -Xmx128m kafka.tools.StorageTool format --cluster-id "$cluster" --config /opt/kafka/custom-config/server.config --release-version "$(cat /opt/kafka/custom-config/metadata.version)" --ignore-formatted
fi
for directory in $STRIMZI_LOG_DIRS; do
  if [ ! -f "$directory/meta.properties" ]; then
    mkdir -p "$directory"
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | tr -d '=')
    printf 'version=1\\ncluster.id=%s\\nnode.id=%s\\ndirectory.id=%s\\n' "$cluster" "$STRIMZI_NODE_ID" "$id" > "$directory/meta.properties.new"
    mv "$directory/meta.properties.new" "$directory/meta.properties"
  fi
done
if ! grep -q '^log\\.cleaner\\.dedupe\\.buffer\\.size *=' /opt/kafka/custom-config/server.config; then
  set -- "$@" --override log.cleaner.dedupe.buffer.size=${String(cleanerBytes)}
fi
exec "$java" \${STRIMZI_JAVA_SYSTEM_PROPERTIES:-} "$@"
`;

/** The directory of jars of the image's Kafka; the first one for an image that says no version. */
function libsOf(image: string, directories: readonly string[]): string {
  const here = directories.map((libs) => ({ libs, version: versionIn(libs) }));
  const wanted = /-kafka-([0-9.]+)$/.exec(image)?.[1];
  const found = wanted === undefined ? here[0] : here.find(({ version }) => version === wanted);
  if (found !== undefined) return found.libs;
  const versions = here.map(({ version }) => version).join(' and ');
  throw new UserError(`image ${image} is Kafka ${wanted ?? ''}, and this sandbox has Kafka ${versions}`, { remedy: `set Kafka's version to ${versions.replace(' and ', ' or ')}` });
}

function versionIn(libs: string): string {
  const version = readdirSync(libs).map((file) => /^kafka_2\.13-(.*)\.jar$/.exec(file)?.[1]).find((each) => each !== undefined);
  if (version === undefined) throw new UserError(`${libs} holds no Kafka`, { remedy: 'remove it from the toolchain cache and install it again' });
  return version;
}
