import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { judgeApis } from '../../automation/doctor/apis.ts';
import { Check, lineOf } from '../../automation/doctor/finding.ts';
import type { Look } from '../../automation/doctor/look.ts';
import { judgeControlPlanes } from '../../automation/doctor/control-planes.ts';
import { judgeFields, unknownFields } from '../../automation/doctor/fields.ts';
import { judgeOperators } from '../../automation/doctor/operators.ts';
import { judgeRights } from '../../automation/doctor/rights.ts';
import { judgeStoredVersions } from '../../automation/doctor/stored-versions.ts';
import { configuration, object, short, TwoClusters } from './doctor-fixtures.ts';

const resources = (...kinds: string[]) => ({ resources: kinds.flatMap((kind) => ['', '/status'].map((part) => ({ kind, name: `${kind.toLowerCase()}s${part}` }))) });

describe('doctor: APIs', () => {
  const two = new TwoClusters();
  const objects = [object('kafka.strimzi.io/v1', 'Kafka'), object('v1', 'Namespace')];

  it('are served', async () => {
    const { east: one } = two;
    one.objects.set('/api/v1', resources('Namespace')).set('/apis/kafka.strimzi.io/v1', resources('Kafka'));
    const { findings, plurals } = await judgeApis(await two.look({ objects }));
    assert.deepEqual(short(findings), ['ok east: serves kafka.strimzi.io/v1 (Kafka)', 'ok west: serves all that is written to it']);
    assert.equal(plurals.get('east')?.get('kafka.strimzi.io/v1 Kafka'), 'kafkas');
  });

  it('are not installed, of another version, or incomplete', async () => {
    const { east: one } = two;
    one.objects.set('/api/v1', resources('Namespace'));
    const judged = async (): Promise<string> => lineOf((await judgeApis(await two.look({ objects }))).findings[0] ?? new Check('', '').ok(''));
    assert.match(await judged(), /^fault .*kafka\.strimzi\.io is not served\. Expected: v1 of Kafka\. Install Strimzi there, or let `up` do it/);
    one.objects.set('/apis/kafka.strimzi.io', { versions: [{ version: 'v1beta2' }] });
    assert.match(await judged(), /^fault .*kafka\.strimzi\.io is served as v1beta2\. Expected: v1 of Kafka\. v1 came with Strimzi 0\.49/);
    one.objects.set('/apis/kafka.strimzi.io/v1', resources('KafkaBridge'));
    assert.match(await judged(), /^fault .*kafka\.strimzi\.io\/v1 is served without Kafka/);
  });

  it('are of a TSB that has the fields as well, whichever kinds of gateways are chosen', async () => {
    const judged = async (): Promise<string> => lineOf((await judgeApis(await two.look({ objects: [object('gateway.tsb.tetrate.io/v2', 'Gateway')] }))).findings[0] ?? new Check('', '').ok(''));
    two.east.objects.set('/apis/gateway.tsb.tetrate.io/v2', resources('IngressGateway'));
    assert.match(await judged(), /^fault .*gateway\.tsb\.tetrate\.io\/v2 is served without Gateway\. Raise TSB to 1\.10 or newer\.$/);
    two.east.objects.delete('/apis/gateway.tsb.tetrate.io/v2');
    two.east.objects.set('/apis/gateway.tsb.tetrate.io', { versions: [{ version: 'v1' }] });
    assert.match(await judged(), /^fault .*gateway\.tsb\.tetrate\.io is served as v1\. Expected: v2 of Gateway\. Raise TSB to 1\.10 or newer\.$/);
  });

  it('are had from whoever brings them', async () => {
    const remedy = async (apiVersion: string): Promise<string | undefined> => (await judgeApis(await two.look({ objects: [object(apiVersion, 'A')] }))).findings[0]?.remedy;
    assert.match(await remedy('cert-manager.io/v1') ?? '', /^Install cert-manager there/);
    for (const group of ['tsb', 'gateway.tsb', 'istiointernal.tsb', 'install']) assert.match(await remedy(`${group}.tetrate.io/v2`) ?? '', /^Onboard the cluster to TSB, with GitOps enabled/, group);
    assert.match(await remedy('networking.istio.io/v1alpha3') ?? '', /^Onboard the cluster to TSB: its control plane brings Istio/);
    assert.match(await remedy('example.io/v1') ?? '', /^Install what serves it/);
  });

  it('come with a chart that `up` installs, or with definitions of its own', async () => {
    const { east: one } = two;
    one.objects.set('/api/v1', resources('Namespace'));
    const installing = await judgeApis(await two.look({ objects, configuration: configuration({ operators: { strimzi: { install: true } } }) }));
    assert.deepEqual(short(installing.findings)[0], "ok east: serves kafka.strimzi.io/v1 (Kafka, which Strimzi's chart brings)");
    const issued = { objects: [object('cert-manager.io/v1', 'Certificate')], configuration: configuration({ operators: { certManager: { install: true, given: { east: {} } } } }) };
    assert.match(short((await judgeApis(await two.look(issued))).findings)[0] ?? '', /^fault east: cert-manager\.io is not served/, 'not where somebody else installs it');
    const definition = object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { content: { spec: { group: 'kafka.strimzi.io' } } });
    assert.match(short((await judgeApis(await two.look({ objects: [...objects, definition] }))).findings)[0] ?? '', /^ok .*a definition of its own brings/);
  });

  it('cannot be looked at where nobody answers', async () => {
    const { west: other } = two;
    assert.deepEqual(short((await judgeApis(await two.look({ objects }, [other]))).findings), ['unchecked east: its cluster cannot be asked', 'ok west: serves all that is written to it']);
  });
});

describe('doctor: fields', () => {
  const two = new TwoClusters();
  const objects = [object('kafka.strimzi.io/v1', 'Kafka', { content: { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', spec: { kafka: { version: '4.3.1', listeners: [{ name: 'a', tls: true }] } } } })];
  const plurals = new Map([['east', new Map([['kafka.strimzi.io/v1 Kafka', 'kafkas']])]]);
  const definition = (listener: object) => ({ spec: { versions: [{ name: 'v1beta2' }, { name: 'v1', schema: { openAPIV3Schema: { properties: { spec: { properties: { kafka: { properties: { version: {}, listeners: { items: { properties: listener } } } } } } } } } }] } });
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkas.kafka.strimzi.io';
  const judged = async (change: Partial<Look> = {}): Promise<string[]> => (await judgeFields(await two.look({ objects, ...change }), plurals)).map(lineOf);

  it('are known to the definitions, or would be dropped', async () => {
    two.east.objects.set(path, definition({ name: {}, tls: {} }));
    assert.match((await judged()).join('\n'), /^ok +fields +east +Strimzi's definitions know all that is written$/);
    two.east.objects.set(path, definition({ name: {} }));
    assert.match((await judged()).join('\n'), /^fault .*Strimzi's definitions do not know Kafka spec\.kafka\.listeners\.tls, which would be dropped\. Apply the definitions/);
  });

  it('are nothing to look at where there is no definition, or where `up` brings it', async () => {
    assert.deepEqual(await judged(), []);
    two.east.objects.set(path, definition({}));
    assert.match((await judged({ configuration: configuration({ operators: { strimzi: { install: true } } }) })).join('\n'), /^fault /, 'Helm leaves them as they are');
    assert.deepEqual(await judged({ configuration: configuration({ operators: { strimzi: { install: true, chart: fileURLToPath(new URL('../fixtures/charts/operator', import.meta.url)) } } }) }), []);
  });

  it('are free below what takes everything', () => {
    const schema = { properties: { config: { 'x-kubernetes-preserve-unknown-fields': true, properties: { a: {} } }, labels: {} } };
    assert.deepEqual(unknownFields({ config: { b: 1 }, labels: { c: 1 }, d: [{ e: 1 }], labelled: 1 }, schema, 'spec'), ['spec.d', 'spec.labelled']);
  });
});

describe('doctor: definitions', () => {
  const two = new TwoClusters();
  const objects = ['Kafka', 'KafkaBridge'].map((kind) => object('kafka.strimzi.io/v1', kind));
  const path = (kind: string): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kind}s.kafka.strimzi.io`;
  const judged = async (strimzi: object, kafka: object = {}): Promise<string[]> => {
    const settings = configuration({ operators: { strimzi }, kafka: { context: 'east', domain: 'kafka.invalid', ...kafka } });
    return (await judgeStoredVersions(await two.look({ objects, configuration: settings }))).map(lineOf);
  };
  beforeEach(() => { for (const kind of ['kafka', 'kafkabridge']) two.east.objects.set(path(kind), { status: { storedVersions: ['v1beta2'] } }); });

  it('cannot be replaced by those of a release without the versions that objects are stored in', async () => {
    const [line, ...more] = await judged({ install: true });
    assert.deepEqual(more, []);
    assert.match(line ?? '', /^fault +definitions +east +kafkas\.kafka\.strimzi\.io, kafkabridges\.kafka\.strimzi\.io: v1beta2 in status\.storedVersions, so that the API server refuses the definitions of Strimzi 1\.2\.0, which do not have it\. While Strimzi 0\.49 to 0\.51 runs there, .*crd-upgrade\.$/);
    assert.match((await judged({ install: true, version: '1.99.0' })).join('\n'), /^fault .*Strimzi 1\.99\.0/, 'a later one does not have it again');
  });

  it('may stay as they are where somebody else has them', async () => {
    assert.match((await judged({})).join('\n'), /^warning .*v1beta2 in status/);
    assert.match((await judged({ install: true, given: { east: {} } })).join('\n'), /^warning .*v1beta2 in status/);
  });

  it('can be, where they are of that release or objects were converted, and where it stores them so itself', async () => {
    assert.deepEqual(await judged({ install: true, version: '0.51.0' }, { version: '4.2.0' }), []);
    for (const kind of ['kafka', 'kafkabridge']) two.east.objects.set(path(kind), { status: { storedVersions: ['v1'] } });
    assert.deepEqual(await judged({ install: true }), []);
    for (const kind of ['kafka', 'kafkabridge']) two.east.objects.delete(path(kind));
    assert.deepEqual(await judged({ install: true }), []);
  });
});

describe('doctor: rights', () => {
  const two = new TwoClusters();
  const objects = [object('kafka.strimzi.io/v1', 'Kafka')];
  const plurals = new Map([['east', new Map([['kafka.strimzi.io/v1 Kafka', 'kafkas'], ['v1 Secret', 'secrets']])], ['west', new Map()]]);
  const reads = [{ context: 'east', apiVersion: 'v1', kind: 'Secret', namespace: 'ns' }];
  const judged = async (): Promise<string> => lineOf((await judgeRights(await two.look({ objects, reads }), plurals))[0] ?? new Check('', '').ok(''));

  it('are all there', async () => {
    assert.match(await judged(), /^ok .*east +may do all that is done to 2 kinds and namespaces/);
    assert.deepEqual(two.east.requests, [], 'nothing is done but asking');
  });

  it('are there without everything being allowed', async () => {
    two.east.allows = ({ verb }) => verb !== '*';
    assert.match(await judged(), /^ok/);
  });

  it('lack', async () => {
    const { east: one } = two;
    one.allows = ({ verb, resource }) => verb !== '*' && !(resource === 'kafkas' && ['create', 'patch'].includes(verb)) && resource !== 'secrets';
    assert.match(await judged(), /^fault .*may not create, patch kafkas\.kafka\.strimzi\.io in ns; may not get secrets in ns\. Give the user/);
    one.allows = ({ verb, resource }) => verb !== '*' && !(resource === 'kafkas' && verb === 'delete') && resource !== 'secrets';
    assert.match(await judged(), /^fault .*may not delete kafkas\.kafka\.strimzi\.io in ns; may not get secrets in ns/);
    one.allows = ({ verb }) => !['*', 'delete'].includes(verb);
    assert.match(await judged(), /^warning .*may not delete kafkas\.kafka\.strimzi\.io in ns: `kbf destroy` will fail/);
  });

  it('to a namespace that is only labelled are those to it alone, and none to make or delete one', async () => {
    const asked: object[] = [];
    two.east.allows = (right) => { asked.push(right); return right.verb === 'get'; };
    const label = object('v1', 'Namespace', { folder: { context: 'east', namespace: undefined }, name: 'kafka-bridge', isPatch: true });
    const [finding] = await judgeRights(await two.look({ objects: [label] }), new Map([['east', new Map([['v1 Namespace', 'namespaces']])]]));
    assert.match(lineOf(finding ?? new Check('', '').ok('')), /^fault .*may not patch namespaces kafka-bridge\. Give the user/);
    assert.deepEqual(asked, ['*', 'get', 'patch'].map((verb) => ({ verb, group: '', resource: 'namespaces', namespace: 'kafka-bridge', name: 'kafka-bridge' })));
  });

  it('of charts are those over the whole cluster, too', async () => {
    const { east: one } = two;
    const chart = object('', 'HelmRelease', { group: 'helm.sh', content: {} });
    for (const [lacking, group] of [['clusterroles', 'rbac.authorization.k8s.io'], ['clusterrolebindings', 'rbac.authorization.k8s.io'], ['customresourcedefinitions', 'apiextensions.k8s.io']] as const) {
      one.allows = ({ resource }) => resource !== lacking;
      const line = lineOf((await judgeRights(await two.look({ objects: [chart] }), plurals))[0] ?? new Check('', '').ok(''));
      assert.ok(line.includes(`may not get, list, watch, create, patch, delete ${lacking}.${group}. Give the user`), line);
    }
  });

  it('are not known where the API server does not say them', async () => {
    two.east.statuses.set('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 500);
    assert.match(await judged(), /^unchecked .*does not say what these credentials may do: HTTP 500/);
  });
});

describe('doctor: operators', () => {
  const two = new TwoClusters();
  const objects = [object('kafka.strimzi.io/v1', 'Kafka'), object('install.tetrate.io/v1alpha1', 'Gateway')];
  const deployment = (namespace: string, name: string, { available = true, image = 'x/y:1.2.0' } = {}) =>
    ({ metadata: { name, namespace }, spec: { template: { spec: { containers: [{ image }] } } }, status: { conditions: [{ type: 'Available', status: available ? 'True' : 'False', message: 'no pods' }] } });
  const judged = async (change: Partial<Look> = {}): Promise<string[]> => { const all = await two.look({ objects, ...change }); return [...await judgeOperators(all), ...await judgeControlPlanes(all)].map(lineOf); };
  beforeEach(() => {
    two.east.objects.set('/apis/apps/v1/namespaces/strimzi/deployments/strimzi-cluster-operator', deployment('strimzi', 'strimzi-cluster-operator'))
      .set('/apis/apps/v1/namespaces/tsb/deployments', { items: [deployment('tsb', 'tsb-operator')] }).set('/apis/apps/v1/namespaces/istio-system/deployments', { items: [deployment('istio-system', 'istiod')] });
  });

  it('are available', async () => {
    const [strimzi, tsb, istiod, ...more] = await judged();
    assert.deepEqual(more, []);
    assert.match(strimzi ?? '', /^ok +Strimzi +east +available: strimzi\/strimzi-cluster-operator 1\.2\.0$/);
    assert.match(tsb ?? '', /^ok +TSB +east +available: tsb\/tsb-operator 1\.2\.0 of east$/);
    assert.match(istiod ?? '', /^ok +istiod +east +available: istio-system\/istiod 1\.2\.0$/);
  });

  it('are found in any namespace by their name', async () => {
    const { east: one } = two;
    one.objects.delete('/apis/apps/v1/namespaces/strimzi/deployments/strimzi-cluster-operator');
    one.objects.set('/apis/apps/v1/deployments', { items: [deployment('elsewhere', 'strimzi-cluster-operator')] });
    assert.match((await judged())[0] ?? '', /^ok .*elsewhere\/strimzi-cluster-operator/);
    assert.ok(one.requests.some((request) => request.includes('fieldSelector=metadata.name%3Dstrimzi-cluster-operator')));
  });

  it('are not available, not there, or not there yet', async () => {
    const { east: one } = two;
    one.objects.set('/apis/apps/v1/namespaces/strimzi/deployments/strimzi-cluster-operator', deployment('strimzi', 'strimzi-cluster-operator', { available: false }))
      .set('/apis/apps/v1/namespaces/tsb/deployments', { items: [] }).set('/apis/apps/v1/namespaces/istio-system/deployments', { items: [] });
    const [strimzi, tsb, istiod] = await judged();
    assert.match(strimzi ?? '', /^fault .*strimzi-cluster-operator 1\.2\.0 is not available: no pods\. See: kubectl --context east -n strimzi describe deployment strimzi-cluster-operator/);
    assert.match(tsb ?? '', /^warning .*no Deployment tsb-operator/);
    assert.match(istiod ?? '', /^fault .*no Deployment istiod/);
    one.objects.delete('/apis/apps/v1/namespaces/strimzi/deployments/strimzi-cluster-operator');
    assert.match((await judged())[0] ?? '', /^warning .*no Deployment strimzi-cluster-operator is there.*operators\.strimzi\.install: true/);
    assert.match((await judged({ configuration: configuration({ operators: { strimzi: { install: true } } }) }))[0] ?? '', /^ok .*`up` installs it/);
  });

  it('are those of TSB, each of which has to be available, wherever they run', async () => {
    const { east: one } = two;
    one.objects.set('/apis/apps/v1/namespaces/istio-system/deployments', { items: [deployment('istio-system', 'tsb-operator-control-plane', { available: false }), deployment('istio-system', 'istiod-1-23', { available: false }), deployment('istio-system', 'istiod')] });
    const [, ...lines] = await judged();
    assert.match(lines.join('\n'), /^fault +TSB +east +cluster east: istio-system\/tsb-operator-control-plane 1\.2\.0 is not available: no pods\. See: .*\nfault +istiod +east +istio-system\/istiod-1-23 1\.2\.0 is not available: no pods\. See: [^\n]*$/);
    one.objects.set('/apis/apps/v1/namespaces/tsb/deployments', { items: [] }).set('/apis/apps/v1/namespaces/istio-system/deployments', { items: [deployment('istio-system', 'tsb-operator-control-plane'), deployment('istio-system', 'istiod')] });
    assert.match((await judged())[1] ?? '', /^ok +TSB +east +available: istio-system\/tsb-operator-control-plane 1\.2\.0 of east$/);
  });

  it('are those of tier1’s cluster, also where no region is', async () => {
    const apart = configuration({ regions: ['east', 'north'].map((name) => ({ name, context: name, tsbCluster: name })), tier1: { context: 'west', tsbCluster: 'west' } });
    const lines = await judged({ configuration: apart, objects: ['east', 'west'].map((context) => object('install.tetrate.io/v1alpha1', 'Gateway', { folder: { context, namespace: 'ns' } })) });
    assert.match(lines.at(-1) ?? '', /^fault +istiod +west +no Deployment istiod/);
  });

  it('run the Kafka that is wanted, or not', async () => {
    two.east.objects.set('/apis/apps/v1/namespaces/strimzi/deployments/strimzi-cluster-operator', deployment('strimzi', 'strimzi-cluster-operator', { image: 'quay.io/strimzi/operator:1.0.0' }));
    assert.match((await judged())[0] ?? '', /^fault .*Strimzi 1\.0\.0 does not run Kafka 4\.3\.1\. Expected: 4\.1\.0, .*Set kafka\.version/);
    assert.match((await judged({ configuration: configuration({ operators: { strimzi: { install: true } } }) }))[0] ?? '', /^ok +Strimzi +east +available/, '`up` raises it before');
    two.west.objects.set('/apis/apps/v1/namespaces/strimzi/deployments/strimzi-cluster-operator', deployment('strimzi', 'strimzi-cluster-operator', { image: 'quay.io/strimzi/operator:1.0.0' }));
    assert.match((await judged({ objects: [object('kafka.strimzi.io/v1', 'KafkaBridge', { folder: { context: 'west', namespace: 'ns' } })] }))[0] ?? '', /^ok +Strimzi +west +available/, 'Kafka is elsewhere');
  });

  it('watch the namespaces of Kafka and bridges, or not', async () => {
    const watching = (value: string) => {
      const operator = deployment('strimzi', 'strimzi-cluster-operator');
      two.east.objects.set('/apis/apps/v1/namespaces/strimzi/deployments/strimzi-cluster-operator', { ...operator, spec: { template: { spec: { containers: [{ image: 'x/y:1.2.0', env: [{ name: 'STRIMZI_NAMESPACE', value }] }] } } } });
    };
    watching('strimzi');
    assert.match((await judged())[0] ?? '', /^fault .*strimzi-cluster-operator 1\.2\.0 does not watch kafka-cluster, kafka-bridge; it watches strimzi\. Have it watch them: watchAnyNamespace/);
    watching('kafka-bridge,kafka-cluster');
    assert.match((await judged())[0] ?? '', /^ok/);
  });

  it('cannot be looked at without leave', async () => {
    two.east.statuses.set('/apis/apps/v1/namespaces/strimzi/deployments/strimzi-cluster-operator', 403);
    assert.match((await judged())[0] ?? '', /^unchecked .*cannot be read: HTTP 403/);
  });
});
