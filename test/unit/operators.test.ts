import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as pulumi from '@pulumi/pulumi';
import { create } from 'tar';

import { chartSource, definitionsOf } from '../../components/chart.ts';
import { expectAvailable, expectRuns, expectServed, expectWatches } from '../../components/expected-operator.ts';
import { operatorNeeds, operatorsOf } from '../../components/operators.ts';
import type { Configuration } from '../../config/schema.ts';
import { root } from './kafka-fixtures.ts';
import { answeringCluster, record, type Recording, type Served } from './pulumi-mocks.ts';
import { configuration } from './topology-fixtures.ts';

const every = ['kafka', 'east', 'west', 'central'];

describe('what clusters need of operators', () => {
  const needs = (changes: object) => [...operatorNeeds(configuration(changes as Record<string, unknown>))].map(([context, list]) => [context, ...list.map(({ operator, version, kinds }) => `${operator} ${version} ${kinds.join()}`)]);

  it('is Strimzi for Kafka and for each bridge, and cert-manager for the listeners’ certificate', () => {
    assert.deepEqual(needs({}), [
      ['kafka', 'strimzi v1 Kafka,KafkaNodePool', 'certManager v1 Certificate,Issuer'],
      ['east', 'strimzi v1 KafkaBridge'],
      ['west', 'strimzi v1 KafkaBridge'],
    ]);
  });

  it('is Strimzi’s API of old for a Kafka of old', () => {
    const old = { api: 'v1beta2', version: '3.4.0', certificate: { source: 'self-signed' }, topics: [{ name: 't' }] };
    assert.deepEqual(needs({ kafka: old, operators: { strimzi: { version: '0.36.0' } } }), [
      ['kafka', 'strimzi v1beta2 Kafka,KafkaTopic', 'certManager v1 Certificate,ClusterIssuer'],
      ['east', 'strimzi v1beta2 KafkaBridge'],
      ['west', 'strimzi v1beta2 KafkaBridge'],
    ]);
  });

  it('is Strimzi for the user that bridges are', () => {
    const [operators] = needs({ kafka: { listeners: [{ type: 'loadbalancer', authentication: 'scram-sha-512' }] }, bridge: { authentication: { type: 'scram-sha-512', username: 'bridge', secret: { name: 's' } } } });
    assert.deepEqual(operators, ['kafka', 'strimzi v1 Kafka,KafkaNodePool,KafkaUser', 'certManager v1 Certificate,Issuer']);
  });

  it('is no cert-manager where certificates come from elsewhere', () => {
    const [operators] = needs({ kafka: { certificate: { source: 'secret', secret: { name: 's' }, caCertificate: root } } });
    assert.deepEqual(operators, ['kafka', 'strimzi v1 Kafka,KafkaNodePool']);
    assert.deepEqual(needs({ kafka: { listeners: [{ type: 'route', certificate: 'operator' }] } })[0], operators);
  });

  it('is cert-manager for tier1’s certificate as well', () => {
    const [, , , tier1] = needs({ tier1: { tls: { source: 'cert-manager', issuer: { name: 'i', kind: 'Issuer' } } } });
    assert.deepEqual(tier1, ['central', 'certManager v1 Certificate']);
  });
});

describe('an operator that is installed', () => {
  it('comes by its chart from a registry, in every cluster that needs it, with values over the program’s own', async () => {
    const installed = await installs({
      strimzi: { install: true, values: { replicas: 2 } },
      certManager: { install: true, version: '1.20.0', namespace: 'certs', values: { crds: { keep: false }, global: { leaderElection: { leaseDuration: '60s' }, logLevel: 3 } } },
    });
    assert.deepEqual(names(installed), [
      'Operator cert-manager-kafka', 'Operator strimzi-east', 'Operator strimzi-kafka', 'Operator strimzi-west',
    ]);
    assert.deepEqual(installed.childrenOf('Operator').filter((child) => /kafka/.test(child)), [
      'Namespace cert-manager-kafka-namespace', 'Namespace strimzi-kafka-namespace', 'helm.sh/v3:Release cert-manager-kafka', 'helm.sh/v3:Release strimzi-kafka',
    ]);
    assert.deepEqual(release(installed, 'strimzi-east'), {
      name: 'strimzi',
      namespace: 'strimzi',
      chart: 'oci://quay.io/strimzi-helm/strimzi-kafka-operator',
      version: '1.2.0',
      values: { watchAnyNamespace: true, replicas: 2 },
      skipCrds: false,
      timeout: 300,
    });
    assert.deepEqual(release(installed, 'cert-manager-kafka'), {
      name: 'cert-manager',
      namespace: 'certs',
      chart: 'oci://quay.io/jetstack/charts/cert-manager',
      version: 'v1.20.0',
      values: { crds: { enabled: true, keep: false }, global: { leaderElection: { namespace: 'certs', leaseDuration: '60s' }, logLevel: 3 } },
      skipCrds: false,
      timeout: 300,
    });
    for (const { parent, provider, name } of installed.resources.filter((each) => each.parent !== undefined && !each.type.startsWith('kbf:'))) assert.equal(provider, name.split('-').find((part) => every.includes(part)), parent);
  });

  it('has cert-manager’s definitions, by the value that its chart has for them', async () => {
    const values = async (version: string, more?: object) => release(await installs({ certManager: { install: true, version, ...(more === undefined ? {} : { values: more }) } }), 'cert-manager-kafka')['values'];
    const global = { leaderElection: { namespace: 'cert-manager' } };
    assert.deepEqual(await values('1.14.7'), { installCRDs: true, global });
    assert.deepEqual(await values('1.9.2', { replicaCount: 2 }), { installCRDs: true, global, replicaCount: 2 });
    assert.deepEqual(await values('1.15.0'), { crds: { enabled: true }, global });
    assert.deepEqual(await values('2.0.0'), { crds: { enabled: true }, global });
    assert.deepEqual(await values('2.0.0', { global: { leaderElection: { namespace: 'kube-system' } } }), { crds: { enabled: true }, global: { leaderElection: { namespace: 'kube-system' } } }, 'as somebody wants it');
  });

  it('is expected where somebody else installs it, in the namespace that it has there', async () => {
    const given = configuration({ operators: { strimzi: { install: true, given: { kafka: { namespace: 'openshift-operators' }, west: {} } } } });
    assert.deepEqual(names(await installsOf(given)), ['Operator strimzi-east']);
    const asked: string[] = [];
    await record(() => undefined);
    const operators = operatorsOf(given, answeringCluster(({ kind, namespace }, context) => { if (kind === 'Deployment') asked.push(`${context}/${namespace ?? ''}`); return undefined; }));
    await Promise.all(['kafka', 'west'].map((context) => operators.in(context)));
    assert.deepEqual([...new Set(asked)].sort(), ['kafka/cert-manager', 'kafka/openshift-operators', 'west/strimzi']);
  });

  it('is in a cluster once, whatever needs it there', async () => {
    const together = configuration({ regions: [{ name: 'east', context: 'kafka', tsbCluster: 'a' }, { name: 'west', context: 'west', tsbCluster: 'b' }], operators: { strimzi: { install: true } } });
    assert.deepEqual(names(await installsOf(together)), ['Operator strimzi-kafka', 'Operator strimzi-west']);
  });

  it('is refused before anything is made where objects are stored in a version that it does not have', async () => {
    const stored = (storedVersions: string[]) => answeringCluster(({ kind, name }) => (kind === 'CustomResourceDefinition' && name === 'kafkabridges.kafka.strimzi.io' ? { status: { storedVersions } } : undefined));
    const install = (version: string, kafka: object = {}) => configuration({ kafka, operators: { strimzi: { install: true, version } } });
    const refused = await record(() => undefined);
    await assert.rejects(operatorsOf(install('1.2.0'), stored(['v1beta2', 'v1'])).in('east'), {
      message: 'Cluster east: CustomResourceDefinition kafkabridges.kafka.strimzi.io has v1beta2 in status.storedVersions, which Strimzi 1.2.0 does not have.\n' +
        'While Strimzi 0.49 to 0.51 runs there, run bin/v1-api-conversion.sh of its release: convert-resource where objects are not of v1 yet, then crd-upgrade.',
    });
    assert.deepEqual(names(refused), []);
    for (const [settings, versions] of [[install('1.2.0'), ['v1']], [install('0.51.0', { version: '4.2.0' }), ['v1beta2']]] as const) {
      assert.equal((await operatorsOf(settings, stored([...versions])).in('east')).length, 1);
    }
  });

  it('fails when Helm left definitions of another version behind', async () => {
    const cluster = answeringCluster(undefined, () => ({ v1beta2: ['KafkaBridge'] }))('east');
    await assert.rejects(expectServed(cluster, { operator: 'strimzi', version: 'v1', kinds: ['KafkaBridge'], namespace: 'kafka-bridge' }, 'installed'), (error: Error) => {
      assert.equal(error.message, 'Cluster east: CustomResourceDefinition kafkabridges.kafka.strimzi.io does not serve v1; served: v1beta2.\n' +
        'Its chart was installed, but Helm leaves definitions alone that are there already. Apply those of this version of Strimzi, then run up again.');
      return true;
    });
  });
});

describe('a chart', () => {
  let directory: string;
  const definition = (name: string) => `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ${name}.example.org}\nspec: {group: example.org}\n`;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'kbf-chart-'));
    mkdirSync(join(directory, 'chart/crds/nested'), { recursive: true });
    writeFileSync(join(directory, 'chart/Chart.yaml'), 'apiVersion: v2\nname: chart\nversion: 1.0.0\n');
    writeFileSync(join(directory, 'chart/crds/b.yaml'), `${definition('b')}---\n${definition('c')}---\nkind: ConfigMap\n`);
    writeFileSync(join(directory, 'chart/crds/a.yml'), definition('a'));
    writeFileSync(join(directory, 'chart/crds/README.md'), 'no manifest');
    create({ file: join(directory, 'chart.tgz'), gzip: true, sync: true, cwd: directory }, ['chart']);
  });
  after(() => { rmSync(directory, { recursive: true }); });

  it('is taken from a registry, from a repository by its last part, or as it is', () => {
    assert.deepEqual(chartSource('oci://registry.example/charts/strimzi', '1.2.0'), { chart: 'oci://registry.example/charts/strimzi', version: '1.2.0' });
    assert.deepEqual(chartSource('https://charts.example/stable/strimzi', '1.2.0'), { chart: 'strimzi', version: '1.2.0', repositoryOpts: { repo: 'https://charts.example/stable' } });
    assert.deepEqual(chartSource('https://charts.example/strimzi-1.2.0.tgz', '1.2.0'), { chart: 'https://charts.example/strimzi-1.2.0.tgz' });
    assert.deepEqual(chartSource('./charts/strimzi', '1.2.0'), { chart: './charts/strimzi' });
    assert.deepEqual(chartSource('strimzi-1.2.0.tgz', '1.2.0'), { chart: 'strimzi-1.2.0.tgz' });
  });

  for (const kind of ['chart', 'chart.tgz']) {
    it(`on this machine (${kind}) has definitions, which are applied before it and stay when it goes`, async () => {
      const chart = join(directory, kind);
      assert.deepEqual(definitionsOf(chart).map(({ metadata }) => metadata.name), ['a.example.org', 'b.example.org', 'c.example.org']);
      const installed = await installs({ strimzi: { install: true, chart } });
      assert.deepEqual(release(installed, 'strimzi-east'), { name: 'strimzi', namespace: 'strimzi', chart, values: { watchAnyNamespace: true }, skipCrds: true, timeout: 300 });
      assert.deepEqual(installed.inputsOf('apiextensions.k8s.io/v1:CustomResourceDefinition', 'strimzi-east-b.example.org'), {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'b.example.org', annotations: { 'pulumi.com/patchForce': 'true' } },
        spec: { group: 'example.org' },
      });
    });
  }

  it('has definitions without the empty `properties` that no API server keeps, and with what else is empty', () => {
    const chart = join(directory, 'empty');
    mkdirSync(join(chart, 'crds'), { recursive: true });
    writeFileSync(join(chart, 'Chart.yaml'), 'name: empty');
    const version = (schema: object): object => ({ versions: [{ name: 'v1', subresources: { status: {} }, schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } } }] });
    writeFileSync(join(chart, 'crds/a.yaml'), JSON.stringify({ kind: 'CustomResourceDefinition', metadata: { name: 'a' }, spec: version({ type: 'object', properties: {} }) }));
    assert.deepEqual(definitionsOf(chart), [{ metadata: { name: 'a' }, spec: version({ type: 'object' }) }]);
  });

  it('that is not there is said by its path', () => {
    assert.throws(() => definitionsOf(join(directory, 'other')), /other is no chart: there is no such file in /);
    assert.throws(() => definitionsOf(join(directory, 'other.tgz')), /other\.tgz is no chart/);
  });
});

describe('an operator that is expected', () => {
  const need = { operator: 'strimzi', version: 'v1', kinds: ['Kafka', 'KafkaNodePool'], namespace: 'kafka-cluster' } as const;
  const served = (serves: Served) => answeringCluster(undefined, () => serves)('kafka');

  it('is fine when its resources are served in the version that is needed', () => expectServed(served({ v1beta2: ['Kafka'], v1: ['Kafka', 'KafkaNodePool'] }), need));

  const lacks: [string, Served, object, RegExp][] = [
    ['is missed', {}, {}, /^Cluster kafka: CustomResourceDefinition kafkas\.kafka\.strimzi\.io is not there\.\nInstall Strimzi in that cluster, or let this program do it: operators\.strimzi\.install: true\.$/],
    ['is too old', { v1beta1: ['Kafka'], v1beta2: ['Kafka', 'KafkaNodePool'] }, {}, /kafkas\.kafka\.strimzi\.io does not serve v1; served: v1beta1, v1beta2\.\nStrimzi there is too old \(v1 came with 0\.49\)/],
    ['lacks one kind', { v1: ['Kafka'] }, {}, /CustomResourceDefinition kafkanodepools\.kafka\.strimzi\.io is not there/],
    ['is too new', { v1: ['Kafka'] }, { version: 'v1beta2', kinds: ['Kafka'] }, /does not serve v1beta2; served: v1\.\nStrimzi there is too new .* set kafka\.api to v1/],
    ['is cert-manager and missed', {}, { operator: 'certManager', kinds: ['ClusterIssuer'] }, /clusterissuers\.cert-manager\.io is not there\.\nInstall cert-manager in that cluster, or .* operators\.certManager\.install: true/],
  ];
  for (const [what, serves, change, message] of lacks) {
    it(`says what to do when it ${what}`, () => assert.rejects(expectServed(served(serves), { ...need, ...change }), (error: Error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(error.message, message);
      return true;
    }));
  }

  it('is not looked for in a cluster that cannot be asked, nor where none is asked', async () => {
    await record(() => undefined);
    await expectServed(answeringCluster(undefined, () => Promise.reject(new Error('connect ECONNREFUSED')))('east'), need);
    const silent = answeringCluster()('east');
    await expectServed({ ...silent, reader: { ...silent.reader, served: () => Promise.resolve(undefined) } }, need);
  });

  it('has to be available where its Deployment is found', async () => {
    const with_ = (status: string | undefined) => answeringCluster(({ kind, namespace, name }) =>
      kind === 'Deployment' && namespace === 'strimzi' && name === 'strimzi-cluster-operator' && status !== undefined ? { status: { conditions: [{ type: 'Available', status, reason: 'Why' }] } } : undefined)('east');
    await expectAvailable(with_('True'), 'strimzi', 'strimzi');
    await expectAvailable(with_(undefined), 'strimzi', 'strimzi');
    await expectAvailable(with_('False'), 'strimzi', 'elsewhere');
    await assert.rejects(expectAvailable(with_('False'), 'strimzi', 'strimzi', 0), /Strimzi's Deployment strimzi\/strimzi-cluster-operator in cluster east is not available; last state: condition Available=False \(Why\)/);
  });

  describe('to watch where its resources are', () => {
    const watching = (variable: object | undefined, template: object = {}) => answeringCluster(({ kind, name }) => (kind === 'Deployment' && name === 'strimzi-cluster-operator'
      ? { metadata: { namespace: 'strimzi' }, spec: { template: { ...template, spec: { containers: [{ env: variable === undefined ? [] : [{ name: 'OTHER', value: 'strimzi' }, { name: 'STRIMZI_NAMESPACE', ...variable }] }] } } }, status: { conditions: [{ type: 'Available', status: 'True' }] } }
      : undefined))('east');
    const own = { valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } };
    const targets = { valueFrom: { fieldRef: { fieldPath: "metadata.annotations['olm.targetNamespaces']" } } };
    const annotated = (value: string) => ({ metadata: { annotations: { 'olm.targetNamespaces': value } } });

    it('is refused where it watches its own namespace only, as its chart’s default is, or others', async () => {
      await assert.rejects(expectWatches(watching(own), ['kafka-bridge'], 'strimzi'), (error: Error) => {
        assert.ok(error.message.startsWith('Cluster east: Strimzi (Deployment strimzi/strimzi-cluster-operator) does not watch kafka-bridge; it watches strimzi.\nHave it watch them: watchAnyNamespace: true'), error.message);
        return true;
      });
      await assert.rejects(expectWatches(watching({ value: 'strimzi, kafka-cluster' }), ['kafka-cluster', 'kafka-bridge'], 'strimzi'), /does not watch kafka-bridge; it watches strimzi, kafka-cluster\./);
      await assert.rejects(expectWatches(watching(targets, annotated('elsewhere')), ['kafka-bridge'], 'strimzi'), /it watches elsewhere/);
    });

    it('is fine where it watches them or all, where it does not say, and where it is not found', async () => {
      for (const cluster of [watching({ value: 'kafka-bridge,strimzi' }), watching({ value: '*' }), watching({ value: '' }), watching(undefined), watching(targets, annotated('')), watching({ valueFrom: { configMapKeyRef: {} } }), answeringCluster()('east')]) {
        await expectWatches(cluster, ['kafka-bridge'], 'strimzi');
      }
    });

    it('is asked in every cluster, for the namespaces that are made there', async () => {
      await record(() => undefined);
      const operators = operatorsOf(configuration({ bridge: { namespace: 'here' } }), () => watching({ value: 'strimzi' }));
      await assert.rejects(operators.in('east'), /does not watch here; /);
      await assert.rejects(operators.in('kafka'), /does not watch kafka-cluster; /);
    });
  });

  describe('to run Kafka', () => {
    const running = (image: string | undefined) => answeringCluster(({ kind, namespace, name }) =>
      (kind === 'Deployment' && namespace === 'strimzi' && name === 'strimzi-cluster-operator' && image !== undefined ? { spec: { template: { spec: { containers: [{ image }] } } }, status: { conditions: [{ type: 'Available', status: 'True' }] } } : undefined));
    const refusal = 'Cluster kafka: Strimzi 1.0.0 (Deployment strimzi/strimzi-cluster-operator) does not run Kafka 4.3.1; it runs 4.1.0, 4.1.1, 4.1.2, 4.2.0.\n' +
      'Set kafka.version to one of these, or raise Strimzi first.';

    it('is refused at once where its release does not run the version', async () => {
      await assert.rejects(expectRuns(running('quay.io/strimzi/operator:1.0.0')('kafka'), '4.3.1', 'strimzi'), { message: refusal });
    });

    it('is fine where it does, and where its release is not known', async () => {
      for (const image of ['quay.io/strimzi/operator:1.2.0', 'registry.example:5000/strimzi/operator:9.0.0', 'quay.io/strimzi/operator@sha256:00', undefined]) {
        await expectRuns(running(image)('kafka'), '4.3.1', 'strimzi');
      }
    });

    it('is asked in Kafka’s cluster only', async () => {
      const operators = operatorsOf(configuration(), running('quay.io/strimzi/operator:1.0.0'));
      await record(() => undefined);
      await assert.rejects(operators.in('kafka'), { message: refusal });
      assert.deepEqual(await operators.in('east'), []);
    });
  });

  it('is nothing in the state', async () => assert.deepEqual(names(await installsOf(configuration())), []));
});

describe('the components of a cluster', () => {
  it('wait for its operators, and not for those of others', async () => {
    const asked: string[] = [];
    const serves = (context: string): Served | Promise<Served> => {
      asked.push(context);
      return context === 'east' ? new Promise(() => undefined) : { v1: ['Kafka', 'KafkaNodePool', 'KafkaBridge', 'Certificate', 'Issuer', 'ClusterIssuer'] };
    };
    await record(() => undefined);
    const operators = operatorsOf(configuration(), answeringCluster(undefined, serves));
    const ready = await Promise.race([Promise.all(['kafka', 'west', 'central'].map((context) => operators.in(context))), operators.in('east')]);
    assert.deepEqual(ready, [[], [], []]);
    assert.deepEqual(asked.sort(), ['east', 'kafka', 'kafka', 'west']);
  });
});

function installs(operators: object): Promise<Recording> {
  return installsOf(configuration({ operators }));
}

function installsOf(settings: Configuration): Promise<Recording> {
  return record(() => {
    const operators = operatorsOf(settings, answeringCluster());
    const contexts = new Set([settings.kafka.existing === undefined ? settings.kafka.context : '', ...settings.regions.map(({ context }) => context), settings.tier1.context]);
    // As components have it: a resource that comes after.
    for (const context of contexts) new pulumi.ComponentResource('test:index:After', `after-${context}`, {}, { dependsOn: operators.in(context) });
  });
}

function names({ resources }: Recording): string[] {
  return resources.filter(({ type }) => type === 'kbf:index:Operator').map(({ name }) => `Operator ${name}`).sort();
}

function release(recording: Recording, name: string): Record<string, unknown> {
  const { compat, ...inputs } = recording.inputsOf('helm.sh/v3:Release', name);
  return compat === 'true' ? inputs : { ...inputs, compat };
}
