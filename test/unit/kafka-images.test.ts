import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { kafkaBridge } from '../../sandbox/images/bridge.ts';
import type { ContainerContext } from '../../sandbox/images/image.ts';
import { kafka } from '../../sandbox/images/kafka.ts';

/** What a small heap has room for. */
const smallCleaner = '--override log.cleaner.dedupe.buffer.size=4194304';

describe('kafka: how its containers are started', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kbf-test-'));
    for (const name of ['libs', 'java']) mkdirSync(join(directory, name));
    for (const jar of ['b.jar', 'kafka_2.13-4.3.1.jar', 'a.jar', 'NOTICE']) writeFileSync(join(directory, 'libs', jar), '');
  });
  afterEach(() => { rmSync(directory, { recursive: true }); });

  const context = (image: string, more: Partial<ContainerContext> = {}): ContainerContext => ({
    container: { name: 'c', image }, hasSidecar: false,
    tools: { java: join(directory, 'java/bin/java'), node: '/node', project: '/project', kafkaLibs: join(directory, 'libs') },
    ...more,
  }) as unknown as ContainerContext;

  it('gives a broker its jars in one order, whatever the directory\'s', () => {
    const { argv } = kafka(context('quay.io/strimzi/kafka:1.2.0-kafka-4.3.1'));
    assert.equal(argv[argv.indexOf('-cp') + 1], ['a.jar', 'b.jar', 'kafka_2.13-4.3.1.jar'].map((jar) => join(directory, 'libs', jar)).join(':'));
  });

  it('uses the archive of classes with the Java that made it, and gives another not even the option, which old ones refuse', () => {
    const flags = (): readonly string[] => kafka(context('quay.io/strimzi/kafka:1.2.0-kafka-4.3.1')).argv.filter((each) => /AOT|aot/.test(each));
    assert.deepEqual(flags(), []);
    writeFileSync(join(directory, 'kafka.aot'), '');
    assert.deepEqual(flags(), []);
    writeFileSync(join(directory, 'kafka.aot.java'), 'JAVA_VERSION="25.0.2"');
    assert.deepEqual(flags(), []);
    writeFileSync(join(directory, 'java', 'release'), 'JAVA_VERSION="17.0.15"');
    assert.deepEqual(flags(), []);
    writeFileSync(join(directory, 'java', 'release'), 'JAVA_VERSION="25.0.2"');
    assert.deepEqual(flags(), [`-XX:AOTCache=${join(directory, 'kafka.aot')}`, '-Xlog:aot=off', '-Xlog:aot+codecache*=off']);
  });

  it('starts the Kafka that the image says, and refuses one that is not here', () => {
    mkdirSync(join(directory, 'older'));
    writeFileSync(join(directory, 'older', 'kafka_2.13-4.2.1.jar'), '');
    const { tools } = context('');
    const both = { tools: { ...tools, kafkaOlderLibs: join(directory, 'older') } };
    const classes = (image: string): string | undefined => { const { argv } = kafka(context(image, both)); return argv[argv.indexOf('-cp') + 1]; };
    assert.equal(classes('quay.io/strimzi/kafka:1.1.0-kafka-4.2.1'), join(directory, 'older/kafka_2.13-4.2.1.jar'));
    assert.match(classes('quay.io/strimzi/kafka:1.2.0-kafka-4.3.1') ?? '', /libs\/kafka_2\.13-4\.3\.1\.jar$/);
    const refused = (remedy: string) => (error: unknown): boolean => error instanceof UserError && error.message.includes('is Kafka 4.2.0, and this sandbox has Kafka 4.3.1') && error.remedy === remedy;
    assert.throws(() => kafka(context('quay.io/strimzi/kafka:1.2.0-kafka-4.2.0')), refused('set Kafka\'s version to 4.3.1'));
    assert.throws(() => kafka(context('quay.io/strimzi/kafka:1.2.0-kafka-4.2.0', both)), refused('set Kafka\'s version to 4.3.1 or 4.2.1'));
  });

  it('gives an empty volume an identity, once, and Java its properties', () => {
    const script = (kafka(context('quay.io/strimzi/kafka:1.2.0-kafka-4.3.1')).files?.['/opt/kafka/kafka_run.sh'] ?? '').replaceAll('/opt/kafka/custom-config', directory);
    writeFileSync(join(directory, 'run.sh'), script);
    writeFileSync(join(directory, 'cluster.id'), 'theCluster');
    writeFileSync(join(directory, 'server.config'), 'process.roles=broker\n');
    const data = join(directory, 'data-0/kafka-log2');
    const run = (): string => {
      execFileSync('/bin/sh', [join(directory, 'run.sh'), 'true'], { env: { PATH: process.env['PATH'], STRIMZI_LOG_DIRS: data, STRIMZI_NODE_ID: '2' } });
      const properties = execFileSync('/bin/sh', [join(directory, 'run.sh'), 'echo', 'rest'], { env: { PATH: process.env['PATH'], STRIMZI_LOG_DIRS: data, STRIMZI_NODE_ID: '2', STRIMZI_JAVA_SYSTEM_PROPERTIES: '-Da=1 -Db=2' } });
      assert.equal(String(properties), `-Da=1 -Db=2 rest ${smallCleaner}\n`);
      return readFileSync(join(data, 'meta.properties'), 'utf8');
    };
    const first = run();
    assert.match(first, /^version=1\ncluster\.id=theCluster\nnode\.id=2\ndirectory\.id=[A-Za-z0-9]{22}\n$/);
    assert.equal(run(), first);
  });

  it('has Kafka\'s own tool make a volume ready for an older metadata version, once', () => {
    const { env, files } = kafka(context('quay.io/strimzi/kafka:1.2.0-kafka-4.3.1'));
    assert.match(env?.['CLASSPATH'] ?? '', /kafka_2\.13-4\.3\.1\.jar$/);
    writeFileSync(join(directory, 'run.sh'), (files?.['/opt/kafka/kafka_run.sh'] ?? '').replaceAll('/opt/kafka/custom-config', directory));
    writeFileSync(join(directory, 'cluster.id'), 'theCluster');
    writeFileSync(join(directory, 'server.config'), 'process.roles=broker\n');
    writeFileSync(join(directory, 'metadata.version'), '4.2-IV1');
    const run = (): string => execFileSync('/bin/sh', [join(directory, 'run.sh'), 'echo', 'broker'], { encoding: 'utf8', env: { PATH: process.env['PATH'], STRIMZI_LOG_DIRS: `${join(directory, 'a')} ${join(directory, 'b')}`, STRIMZI_NODE_ID: '2' } });
    assert.deepEqual(run().split('\n'), [`-Xmx128m kafka.tools.StorageTool format --cluster-id theCluster --config ${directory}/server.config --release-version 4.2-IV1 --ignore-formatted`, `broker ${smallCleaner}`, '']);
    assert.equal(run(), `broker ${smallCleaner}\n`);
    writeFileSync(join(directory, 'server.config'), 'log.cleaner.dedupe.buffer.size=9\n');
    assert.equal(run(), 'broker\n', 'it was asked for another size');
  });

  it('starts the reference bridge where the official one could not be had, on loopback behind a sidecar', () => {
    const open = kafkaBridge(context('quay.io/strimzi/kafka-bridge:1.1.0')).argv;
    const behind = kafkaBridge(context('quay.io/strimzi/kafka-bridge:1.1.0', { hasSidecar: true })).argv;
    assert.ok(open.includes('/project/sandbox/bridge/main.ts'));
    assert.deepEqual([open, behind].map((argv) => /http\.host=([0-9.]+)\//.exec(argv[2] ?? '')?.[1]), ['0.0.0.0', '127.0.0.1']);
  });

  it('starts the official bridge where it is', () => {
    const { tools } = context('');
    const { argv } = kafkaBridge(context('quay.io/strimzi/kafka-bridge:1.1.0', { tools: { ...tools, kafkaBridge: directory } }));
    assert.ok(argv.includes(tools.java) && argv.includes('io.strimzi.kafka.bridge.Application'));
  });
});
