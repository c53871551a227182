import { readFileSync } from 'node:fs';

import type { ObjectReference } from '../../components/cluster-reader.ts';
import { Previous } from '../../components/previous.ts';
import { buildTopology } from '../../components/topology.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import type { Configuration } from '../../config/schema.ts';
import { answeringCluster, record, type Recording, type Served } from './pulumi-mocks.ts';

/** Changes of concerns of the settings below; a concern that is not there is as it is. */
export type Changes = Readonly<Record<string, unknown>>;

type Answers = (reference: ObjectReference, context: string) => Record<string, unknown> | undefined;

/** A program of two regions on mocks, with these changes of its settings. */
export async function recordTopology(changes: Changes = {}, answers: Answers = operators): Promise<Recording> {
  return record(() => buildTopology(configuration(changes), answeringCluster(answers, (_, group) => served[group] ?? {})));
}

/** Both of Strimzi's APIs, whichever an operator would serve. */
const strimzi = ['Kafka', 'KafkaNodePool', 'KafkaTopic', 'KafkaUser', 'KafkaBridge'];
const served: Readonly<Record<string, Served>> = { 'kafka.strimzi.io': { v1: strimzi, v1beta2: strimzi }, 'cert-manager.io': { v1: ['Certificate', 'Issuer', 'ClusterIssuer'] } };

export function configuration(changes: Changes = {}): Configuration {
  const settings: Record<string, object> = {
    kafka: { context: 'kafka', domain: 'kafka.example' },
    tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka' },
    tier1: { context: 'central', tsbCluster: 'central' },
  };
  const merged = Object.fromEntries(Object.entries(settings).map(([concern, given]) => {
    const change = changes[concern] as object | undefined;
    return [concern, change !== undefined && 'existing' in change ? change : { ...given, ...change }];
  }));
  return parseConfiguration({ hostname: 'bridge.example', kubeconfig: '/none', regions: ['east', 'west'].map((name) => region(name)), ...changes, ...merged }, '/', 'unchecked');
}

export function region(name: string, more: object = {}): object {
  return { name, context: name, tsbCluster: `tsb-${name}`, ...more };
}

/** A CA certificate. */
export const root = readFileSync(new URL('../fixtures/certificates/root.crt', import.meta.url), 'utf8');

/** What operators would have made. */
export function operators({ kind }: ObjectReference): Record<string, unknown> | undefined {
  switch (kind) {
    case 'Secret':
      return { data: { 'ca.crt': Buffer.from(root).toString('base64'), ...Object.fromEntries(['tls.key', 'ca.key', 'user.crt', 'user.key', 'password'].map((entry) => [entry, Buffer.from('leaf-key').toString('base64')])) } };
    case 'Deployment':
      return { metadata: { generation: 1 }, status: { observedGeneration: 1, conditions: [{ type: 'Available', status: 'True' }] } };
    case 'Service':
      return { spec: { clusterIP: '10.96.0.9' }, status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } } };
    default:
      return undefined;
  }
}

/** The same, with this address of every load balancer. */
export function balancedAt(ip: string): typeof operators {
  return (reference) => (reference.kind === 'Service' ? { status: { loadBalancer: { ingress: [{ ip }] } } } : operators(reference));
}

/**
 * What the engine would have in its state after this run.
 * @param statuses what operators would have written, by the names of objects in the program
 */
export function previousOf(recording: Pick<Recording, 'resources' | 'outputsOf'>, statuses: Readonly<Record<string, object>> = {}): Previous {
  return new Previous(Object.fromEntries(recording.resources.map(({ type, name, parent, inputs }) => {
    const outputs = type.startsWith('kbf:index:') ? recording.outputsOf(name) as Record<string, unknown> : { ...inputs, ...(statuses[name] && type.startsWith('kubernetes:kafka.strimzi.io/') ? { status: statuses[name] } : {}) };
    return [`urn:pulumi:dev::p::${parent === undefined ? '' : `kbf:index:${parent}$`}${type}::${name}`, { outputs }];
  })));
}
