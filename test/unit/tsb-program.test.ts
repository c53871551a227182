import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

import { buildTopology } from '../../components/topology.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import { tsbDefinitions } from '../../sandbox/operators/tsb/crds.ts';
import type { TsbObject } from '../../sandbox/operators/tsb/model.ts';
import { translate } from '../../sandbox/operators/tsb/translate/index.ts';
import type { Translation } from '../../sandbox/operators/tsb/translate/index.ts';
import { answeringCluster, record } from './pulumi-mocks.ts';
import { central, region, tsb } from './tsb-fixtures.ts';

interface Definition { readonly spec: { readonly group: string; readonly names: { readonly kind: string }; readonly versions: { readonly schema: { readonly openAPIV3Schema: object } }[] } }

/** Where the program and the stand-in meet: what one writes, the other must take. */
describe('what the program writes for TSB', () => {
  let objects: TsbObject[];
  let translation: Translation;

  before(async () => {
    const root = readFileSync(new URL('../fixtures/certificates/root.crt', import.meta.url), 'utf8');
    const configuration = parseConfiguration({
      hostname: 'kafka.example', kubeconfig: '/none', kafka: { context: 'kafka', domain: 'brokers.example' },
      regions: ['east', 'west'].map((name) => ({ name, context: name, tsbCluster: name, locality: { region: `us-${name}1` } })),
      tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka' }, tier1: { context: 'central', tsbCluster: 'central' },
    }, '/', 'unchecked');
    const { resources } = await record(() => buildTopology(configuration, answeringCluster(({ kind }) => answers(kind, root))));
    objects = [
      ...['central', 'east', 'west'].map((name) => tsb(['tsb.tetrate.io/v2', 'Cluster', name], {}, { parents: {} })),
      ...resources.filter(({ inputs }) => /tetrate\.io|istio\.io/.test(String(inputs['apiVersion'])))
        .map(({ inputs, provider }) => ({ spec: {}, ...inputs, cluster: provider }) as unknown as TsbObject),
    ];
    translation = translate({ objects, clusters: [central(), region('east', '10.213.0.1'), region('west', '10.214.0.1')] });
  });

  it('fits the definitions', () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    const problems = objects.flatMap((object: TsbObject) => {
      const definition = (tsbDefinitions() as Definition[]).find(({ spec }) => object.apiVersion.startsWith(`${spec.group}/`) && spec.names.kind === object.kind);
      const schema = definition?.spec.versions[0]?.schema.openAPIV3Schema;
      const { kind, metadata } = object;
      return schema === undefined || ajv.validate(schema, object) ? [] : [`${kind} ${metadata.name}: ${ajv.errorsText()}`];
    });
    assert.deepEqual(problems, []);
    assert.ok(objects.length > 20, `${objects.length} objects`);
  });

  it('is accepted as a whole and honoured field by field', () => {
    const said = [...translation.verdicts].flatMap(([{ kind, metadata }, { state, message, warnings }]) => (
      state === 'ACCEPTED' ? warnings : [`${state} ${message}`]).map((text) => `${kind} ${metadata.name}: ${text}`));
    assert.deepEqual(said, []);
  });

  it('becomes routes that replay nothing that was sent, and consumers\' routes that are not tried again at all', () => {
    const [global] = translation.wanted.filter(({ cluster, object }) => cluster.name === 'east' && object.metadata.name === 'kafka-bridge-gateway-global').map(({ object }) => object);
    const routes = ((global as unknown as { spec: { http: { route: { destination: { host: string } }[]; retries: { attempts: number; retryOn?: string } }[] } }).spec.http);
    for (const { route, retries } of routes) {
      if (route[0]?.destination.host.startsWith('kafka-bridge-local.')) assert.equal(retries.attempts, 0);
      else assert.equal(retries.retryOn, 'connect-failure,refused-stream,retriable-headers');
    }
    assert.equal(routes.length, 2);
  });

  it('keeps consumers in their region: only the shared Service has peers', () => {
    const entries = translation.wanted.filter(({ cluster, object }) => cluster.name === 'east' && object.kind === 'WorkloadEntry').map(({ object }) => object.metadata.name);
    assert.equal(entries.length, 1);
    assert.match(entries[0] ?? '', /^k-kafka-bridge-http-/);
  });
});

/** What operators would have made. */
function answers(kind: string, root: string): Record<string, unknown> | undefined {
  if (kind === 'Secret') return { data: { 'ca.crt': Buffer.from(root).toString('base64') } };
  if (kind === 'Deployment') return { metadata: { generation: 1 }, status: { observedGeneration: 1, conditions: [{ type: 'Available', status: 'True' }] } };
  return kind === 'Service' ? { status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } } } : undefined;
}
