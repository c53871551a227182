/** Namespaces that the program would make, and that are there: nobody else's may go with this stack. */
import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import { judgeNamespaces } from '../../automation/doctor/namespaces.ts';
import { lineOf } from '../../automation/doctor/finding.ts';
import { configuredNamespaces } from '../../components/configured-namespaces.ts';
import { refuseForeignNamespaces } from '../../components/foreign-namespaces.ts';
import { ownerAnnotation } from '../../components/own-namespace.ts';
import { Previous } from '../../components/previous.ts';
import { object, short, TwoClusters } from './doctor-fixtures.ts';
import { root } from './kafka-fixtures.ts';
import { answeringCluster, record } from './pulumi-mocks.ts';
import { type Changes, configuration, recordTopology } from './topology-fixtures.ts';

describe('the namespaces that the program makes', () => {
  const settings: Changes[] = [
    {},
    { generators: { topic: 'orders' }, operators: { strimzi: { install: true, given: { west: {} } }, certManager: { install: true, namespace: 'certs' } } },
    { kafka: { certificate: { source: 'issuer', issuer: { name: 'i', kind: 'Issuer' } } }, tier1: { tls: { source: 'secret' } } },
    { kafka: { listeners: [{ type: 'loadbalancer', authentication: 'tls' }] }, bridge: { authentication: { type: 'tls', secret: { name: 'client' } } } },
    { kafka: { existing: { bootstrapServers: 'kafka.example:9094', caCertificate: root } }, tier1: { tls: { source: 'cert-manager', issuer: { name: 'i', kind: 'ClusterIssuer' } } }, operators: { certManager: { install: true } } },
  ];
  for (const changes of settings) {
    it(`are those that are looked for, and say whose they are: ${JSON.stringify(changes).slice(0, 80)}`, async () => {
      const made = (await recordTopology(changes)).resources.filter(({ type }) => type === 'kubernetes:core/v1:Namespace');
      const places = made.map(({ provider, parent, name, inputs }) => `${provider ?? ''}/${(inputs['metadata'] as { name: string }).name} of ${parent ?? ''} ${name.replace(/-namespace$/, '')}`);
      assert.ok(places.length > 1);
      const own = configuredNamespaces(configuration(changes)).filter(({ given }) => given === undefined);
      assert.deepEqual(own.map(({ context, namespace, component }) => `${context}/${namespace} of ${component.join(' ')}`).sort(), places.sort());
      for (const { inputs } of made) assert.equal((inputs['metadata'] as { annotations: Record<string, string> }).annotations[ownerAnnotation], 'test');
    });
  }
});

describe('a namespace that is there', () => {
  const there = (owner?: string) => ({ metadata: { name: 'kafka-bridge', ...(owner === undefined ? {} : { annotations: { [ownerAnnotation]: owner } }) } });
  const inState = (cluster: string): Previous => new Previous({
    'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion::east': { outputs: { cluster } },
    'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion$kubernetes:core/v1:Namespace::east-namespace': { outputs: { metadata: { name: 'kafka-bridge' } } },
  });

  /** @param answer of east, of its namespace kafka-bridge */
  async function refused(answer: () => Record<string, unknown> | undefined, { previous = new Previous({}), skipped = new Set<string>() } = {}): Promise<void> {
    await record(() => undefined);
    const cluster = answeringCluster(({ kind, name }, context) => (kind === 'Namespace' && name === 'kafka-bridge' && context === 'east' ? answer() : undefined));
    await refuseForeignNamespaces({ previous, configuration: configuration(), cluster, skipped });
  }

  it('is refused, with its cluster and what to do', async () => {
    await assert.rejects(refused(() => there()), (error: Error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.equal(error.message, 'Namespaces are there that this stack did not make; nothing was changed:\n' +
        '  bridge.namespace: cluster east has a namespace kafka-bridge. A destroy of this stack would delete it with everything in it: choose another name, or set namespaces: given where somebody else makes all of them. ' +
        'If that is meant, give it to the stack: kubectl --context east annotate --overwrite namespace kafka-bridge kafka-bridge-failover/stack=test');
      return true;
    });
    await assert.rejects(refused(() => there('prod')), /cluster east has a namespace kafka-bridge of stack prod\. /);
  });

  it('is taken over where this stack made it, as its mark or the state says', async () => {
    await refused(() => there('test'));
    await refused(() => there(), { previous: inState('east') });
    await assert.rejects(refused(() => there(), { previous: inState('elsewhere') }), /cluster east has/);
  });

  it('is another’s where this stack only labelled it: a NamespacePatch in the state is no namespace of its own', async () => {
    const labelled = new Previous({
      'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion::east': { outputs: { cluster: 'east' } },
      'urn:pulumi:test::p::kbf:index:KafkaBridgeRegion$kubernetes:core/v1:NamespacePatch::east-namespace': { outputs: { metadata: { name: 'kafka-bridge' } } },
    });
    await assert.rejects(refused(() => there(), { previous: labelled }), /bridge\.namespace: cluster east has a namespace kafka-bridge\. /);
  });

  it('is not looked for where a region is skipped', async () => {
    await refused(() => { throw new Error('asked'); }, { skipped: new Set(['east']) });
  });

  it('may be there where nobody answers: a run is refused', async () => {
    await assert.rejects(refused(() => { throw new Error('connect ECONNREFUSED'); }), /bridge\.namespace: cluster east does not say whether it has a namespace kafka-bridge already, which would be taken over: connect ECONNREFUSED/);
  });
});

describe('doctor: namespaces', () => {
  const two = new TwoClusters();
  const own = object('v1', 'Namespace', { folder: { context: 'east', namespace: undefined }, name: 'edge', content: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'edge', annotations: { [ownerAnnotation]: 'dev' } } } });
  const given = object('v1', 'Namespace', { name: 'given', content: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'given' } } });
  const judged = async () => judgeNamespaces(await two.look({ objects: [own, given] }));

  it('are free or this stack’s', async () => {
    two.east.objects.set('/api/v1/namespaces/given', { metadata: {} });
    const free = ["ok east: edge: free, or this stack's", 'ok west: none is made'];
    assert.deepEqual(short(await judged()), free);
    two.east.objects.set('/api/v1/namespaces/edge', { metadata: { annotations: { [ownerAnnotation]: 'dev' } } });
    assert.deepEqual(short(await judged()), free);
  });

  it('are another’s', async () => {
    two.east.objects.set('/api/v1/namespaces/edge', { metadata: {} });
    assert.match((await judged()).map(lineOf)[0] ?? '', /^fault +namespaces +east +edge is there, and no stack made it\. A destroy of this stack would delete it .*choose another name.* kafka-bridge-failover\/stack=dev/);
    two.east.objects.set('/api/v1/namespaces/edge', { metadata: { annotations: { [ownerAnnotation]: 'prod' } } });
    assert.match((await judged()).map(lineOf)[0] ?? '', /^fault .*edge is there, of stack prod\. /);
  });
});
