import assert from 'node:assert/strict';
import { UserError } from '../../errors.ts';
import { operatorReleases } from '../../config/versions.ts';
import { strimziOperator } from '../../sandbox/images/strimzi.ts';
import type { ContainerContext } from '../../sandbox/images/image.ts';
import { bridgeWorkload } from '../../sandbox/operators/strimzi/bridge-objects.ts';
import { nodePod } from '../../sandbox/operators/strimzi/kafka-objects.ts';
import { planKafka } from '../../sandbox/operators/strimzi/kafka-plan.ts';
import { kafkaStatus } from '../../sandbox/operators/strimzi/kafka-status.ts';
import { levelOf, nameOfLevel, newestMetadata, wantedMetadata, type Running } from '../../sandbox/operators/strimzi/kafka-version.ts';
import { Failure } from '../../sandbox/operators/strimzi/model.ts';
import { findRelease, releases } from '../../sandbox/operators/strimzi/release.ts';
import { table } from '../../sandbox/toolchain/table.ts';
import { bridge, find, kafka, pool, secret } from './strimzi-fixtures.ts';

describe('strimzi: the releases that the stand-in can be', () => {
  const before = findRelease('1.1.0') ?? assert.fail();

  it('are those that serve v1 alone', () => {
    assert.deepEqual(releases.map(({ operator }) => operator), operatorReleases.map(({ operator }) => operator).filter((version) => !version.startsWith('0.')));
  });

  it('come by the tag of the image, and no other does', () => {
    const argv = (image: string): readonly string[] => strimziOperator({ container: { image }, tools: { node: '/node', project: '/project' } } as unknown as ContainerContext).argv;
    assert.deepEqual(argv('quay.io/strimzi/operator:1.1.0').slice(-2), ['--release', '1.1.0']);
    assert.deepEqual(argv('registry.example:5000/strimzi/operator:1.2.0@sha256:0').slice(-2), ['--release', '1.2.0']);
    for (const image of ['quay.io/strimzi/operator:0.51.0', 'quay.io/strimzi/operator', 'quay.io/strimzi/operator:latest']) {
      assert.throws(() => argv(image), (error: unknown) => error instanceof UserError && /set the version to one of 1\.0\.0, .*1\.2\.0/.test(error.remedy ?? ''), image);
    }
  });

  it('serve their own versions of Kafka', () => {
    assert.throws(() => planKafka(kafka(), [pool()], before), (error: unknown) => error instanceof Failure && error.reason === 'UnsupportedKafkaVersionException' && error.message.endsWith('4.3.1. Supported versions are: [4.2.0, 4.2.1, 4.3.0]'));
    assert.equal(planKafka(kafka(({ spec }) => { delete spec.kafka.version; }), [pool()], before).version, '4.3.0');
  });

  it('start pods from their own images', () => {
    const plan = planKafka(kafka(({ spec }) => { spec.kafka.version = '4.2.1'; }), [pool()], before);
    const facts = { clusterId: 'id', secrets: new Map([['cert', secret({ 'tls.crt': 'C', 'tls.key': 'K' })]]), services: new Map(), nodeAddress: '10.0.0.1', clientsCa: undefined };
    const [node = assert.fail()] = plan.nodes;
    const { metadata, spec } = nodePod(plan, node, facts) as unknown as { metadata: { annotations: Record<string, string> }; spec: { containers: { image: string }[] } };
    assert.equal(spec.containers[0]?.image, 'quay.io/strimzi/kafka:1.1.0-kafka-4.2.1');
    assert.equal(metadata.annotations['strimzi.io/kafka-version'], '4.2.1');
    const { operatorLastSuccessfulVersion, kafkaMetadataVersion } = kafkaStatus(plan, facts, '4.2-IV1');
    assert.deepEqual([operatorLastSuccessfulVersion, kafkaMetadataVersion], ['1.1.0', '4.2-IV1']);
    const image = (asked?: string): unknown => {
      const { spec: deployment } = find(bridgeWorkload(bridge((each) => { if (asked !== undefined) each.spec.image = asked; }), { trusted: '', credentials: '' }, before), 'Deployment', 'my-bridge');
      return (deployment['template'] as { spec: { containers: { image: string }[] } }).spec.containers[0]?.image;
    };
    assert.deepEqual([image(), image('registry.example/bridge:7')], ['quay.io/strimzi/kafka-bridge:1.0.0', 'registry.example/bridge:7']);
  });

  it('have the sandbox\'s Kafkas among what they serve: the newest has both, the one before it the older', () => {
    const [newest, older] = ['kafka', 'kafka-older'].map((name) => table.find((tool) => tool.name === name)?.version ?? '');
    const served = (operator: string): readonly string[] => findRelease(operator)?.kafka ?? [];
    assert.equal(served('1.2.0').at(-1), newest);
    assert.ok([served('1.2.0'), served('1.1.0')].every((versions) => versions.includes(older ?? '')));
  });
});

describe('strimzi: the metadata version of a Kafka', () => {
  it('has names and levels', () => {
    assert.deepEqual(['4.2', '4.2-IV0', '4.3', '4.0-IV3', '3.3-IV3', '4.9', '4.2-IV9'].map(levelOf), [29, 28, 30, 25, 7, undefined, undefined]);
    assert.deepEqual([nameOfLevel(29), nameOfLevel(99), newestMetadata('4.2.1'), newestMetadata('4.3.1')], ['4.2-IV1', '99', '4.2-IV1', '4.3-IV0']);
    for (const version of new Set(releases.flatMap((each) => each.kafka))) assert.ok(newestMetadata(version));
  });

  const old: Running = { pods: ['4.2.1', '4.2.1', '4.2.1'], kafkaVersion: '4.2.1', metadataVersion: '4.2-IV1' };
  const cases: [string, string, Running, string | undefined, string][] = [
    ['is the newest of a new cluster', '4.3.1', { pods: [], kafkaVersion: undefined, metadataVersion: undefined }, undefined, '4.3-IV0'],
    ['is the one that is asked for', '4.3.1', { pods: [], kafkaVersion: undefined, metadataVersion: undefined }, '4.2', '4.2'],
    ['stays before the first broker of an upgrade', '4.3.1', old, undefined, '4.2-IV1'],
    ['stays in the middle of an upgrade, whatever is asked for', '4.3.1', { ...old, pods: ['4.2.1', '4.3.1', '4.2.1'] }, '4.3', '4.2-IV1'],
    ['stays while the last broker of an upgrade starts', '4.3.1', { ...old, pods: ['4.3.1', '4.3.1', '4.3.1'] }, undefined, '4.2-IV1'],
    ['follows once the upgrade was a success', '4.3.1', { ...old, pods: ['4.3.1', '4.3.1', '4.3.1'], kafkaVersion: '4.3.1' }, undefined, '4.3-IV0'],
    ['does not follow where the old one is asked for', '4.3.1', { ...old, pods: ['4.3.1'], kafkaVersion: '4.3.1' }, '4.2-IV1', '4.2-IV1'],
    ['stays where one is asked for that Kafka does not understand', '4.2.1', old, '4.3-IV0', '4.2-IV1'],
    ['stays where one is asked for that only a later Kafka could have', '4.3.1', { ...old, pods: ['4.3.1'], kafkaVersion: '4.3.1' }, '4.4-IV9', '4.2-IV1'],
    ['stays in the middle of an upgrade, even where one is asked for that there is none of', '4.3.1', { ...old, pods: ['4.2.1'] }, '4.2-IV9', '4.2-IV1'],
    ['is the newest where nothing runs and one is asked for that only a later Kafka could have', '4.3.1', { pods: [], kafkaVersion: undefined, metadataVersion: undefined }, '4.4', '4.3-IV0'],
    ['lets Kafka go back while it is the old one', '4.2.1', { ...old, pods: ['4.3.1'], kafkaVersion: '4.3.1' }, undefined, '4.2-IV1'],
  ];
  for (const [what, version, running, desired, expected] of cases) it(what, () => { assert.equal(wantedMetadata(version, running, desired), expected); });

  it('is one that there is', () => {
    for (const [desired, running] of [['4.2-IV9', { pods: [], kafkaVersion: undefined, metadataVersion: undefined }], ['4.3-IV1', { ...old, pods: ['4.3.1'], kafkaVersion: '4.3.1' }]] as const) {
      assert.throws(() => wantedMetadata('4.3.1', running, desired), (error: unknown) => error instanceof Failure && error.reason === 'InvalidResourceException' && error.message === `Metadata version ${desired} is invalid`, desired);
    }
  });

  it('does not let Kafka go back once it is the new one', () => {
    const running: Running = { pods: ['4.3.1', '4.3.1', '4.3.1'], kafkaVersion: '4.3.1', metadataVersion: '4.3-IV0' };
    assert.throws(() => wantedMetadata('4.2.1', running, undefined), (error: unknown) => error instanceof Failure && error.reason === 'KafkaUpgradeException'
      && error.message === 'The current metadata version (4.3-IV0) has to be lower or equal to the Kafka broker version we are downgrading to (4.2.1)');
  });
});
