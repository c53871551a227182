import { createRequire } from 'node:module';

import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import { settled } from '../../automation/render/settled.ts';
import type { Cluster } from '../../components/cluster.ts';
import type { LiveObject, ObjectReference } from '../../components/cluster-reader.ts';

/** One resource as the engine would have got it. */
export interface Recorded {
  readonly type: string;
  readonly name: string;
  /** Type of the parent; undefined at the top. */
  readonly parent: string | undefined;
  /** Name of the provider that it goes to. */
  readonly provider: string | undefined;
  readonly inputs: Record<string, unknown>;
}

/** What a program registered. */
export class Recording {
  readonly resources: readonly Recorded[];
  readonly #outputs: ReadonlyMap<string, unknown>;

  constructor(resources: readonly Recorded[], outputs: ReadonlyMap<string, unknown>) {
    this.resources = resources;
    this.#outputs = outputs;
  }

  /** `type name` of every object of components of a type, sorted. */
  childrenOf(type: string): string[] {
    return this.resources
      .filter((child) => child.parent === type && !child.type.startsWith('kbf:'))
      .map((child) => `${shortType(child.type)} ${child.name}`)
      .sort();
  }

  /** The inputs of the one resource with this short type and name. */
  inputsOf(type: string, name: string): Record<string, unknown> {
    const [found, ...more] = this.resources.filter((resource) => shortType(resource.type) === type && resource.name === name);
    if (found === undefined || more.length > 0) throw new Error(`${more.length + (found ? 1 : 0)} resources are ${type} ${name}`);
    return found.inputs;
  }

  /** What a component registered as its outputs. */
  outputsOf(name: string): unknown {
    return this.#outputs.get(name);
  }
}

/** Entry points of the SDK that are not public. */
interface SdkInternals {
  getMonitor(): { getRegisteredResources(): Map<string, { state: unknown }> };
}
const { getMonitor } = createRequire(import.meta.url)('@pulumi/pulumi/runtime/settings.js') as SdkInternals;

/** What providers would add to the inputs of these types. */
const computed: Readonly<Record<string, object>> = {
  'tls:index/privateKey:PrivateKey': { privateKeyPem: 'a key', privateKeyPemPkcs8: 'a key in PKCS#8' },
  'tls:index/selfSignedCert:SelfSignedCert': { certPem: 'a certificate' },
  'gcp:compute/address:Address': { address: '34.0.0.9' },
};

/** What a function of a provider answers. */
type Invoked = (token: string, inputs: Record<string, unknown>) => Record<string, unknown>;

const refuse: Invoked = (token) => {
  throw new Error(`unexpected call of ${token}`);
};

/** Runs a program on mocks and records every resource. */
export async function record(program: () => unknown, invoked: Invoked = refuse): Promise<Recording> {
  const made: Omit<Recorded, 'parent'>[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, provider }) => {
        made.push({ type, name, inputs: inputs as Record<string, unknown>, provider: provider?.split('::').at(-2) });
        return { id: `${name}-id`, state: { ...(inputs as object), ...computed[type] } };
      },
      call: ({ token, inputs }) => invoked(token, inputs as Record<string, unknown>),
    },
    'kafka-bridge-failover',
    'test',
  );
  program();
  await settled();

  const registered = getMonitor().getRegisteredResources();
  const urns = [...registered.keys()];
  const resources = made.map((resource) => ({ ...resource, parent: parentOf(urns, resource) }));
  const components = [...registered].filter(([urn]) => /::(kbf:index:\w+\$)?kbf:index:\w+::/.test(urn));
  return new Recording(resources, new Map(components.map(([urn, { state }]) => [urn.split('::').at(-1) ?? '', plain(state)])));
}

/** Kinds by version, of a group of resources. */
export type Served = Readonly<Record<string, readonly string[]>>;

const allServed: Readonly<Record<string, Served>> = {
  // As an operator between 0.49 and 0.51 has it.
  'kafka.strimzi.io': { v1beta2: ['Kafka', 'KafkaNodePool', 'KafkaTopic', 'KafkaUser', 'KafkaBridge'], v1: ['Kafka', 'KafkaNodePool', 'KafkaTopic', 'KafkaUser', 'KafkaBridge'] },
  'cert-manager.io': { v1: ['Certificate', 'Issuer', 'ClusterIssuer'] },
};

/** A cluster whose operators answer at once. */
export function answeringCluster(
  answers: (reference: ObjectReference, context: string) => Record<string, unknown> | undefined = () => undefined,
  serves: (context: string, group: string) => Served | Promise<Served> = (_, group) => allServed[group] ?? {},
): (context: string) => Cluster {
  const clusters = new Map<string, Cluster>();
  return (context) => {
    const known = clusters.get(context);
    if (known !== undefined) return known;
    const read = (reference: ObjectReference) => Promise.resolve(answers(reference, context) as LiveObject | undefined);
    const cluster: Cluster = {
      name: context,
      provider: new k8s.Provider(context, { kubeconfig: '/none', context }),
      kubeconfig: { file: '/none' },
      reader: {
        read,
        served: async (group) => new Map(Object.entries(await serves(context, group))),
        awaitField: (reference, { select }) =>
          pulumi.output(
            read(reference).then((object) => {
              const value = object === undefined ? undefined : select(object);
              if (value === undefined && pulumi.runtime.isDryRun()) return pulumi.unknown;
              if (value === undefined) throw new Error(`the test has no answer for ${reference.kind} ${reference.name} in ${context}`);
              return value;
            }),
          ) as pulumi.Output<never>,
      },
    };
    clusters.set(context, cluster);
    return cluster;
  };
}

/** `kafka.strimzi.io/v1:Kafka` and `KafkaCluster` for kubernetes: and kbf: types. */
export function shortType(type: string): string {
  return type.replace(/^kubernetes:(core\/v1:)?/, '').replace(/^kbf:index:/, '');
}

function parentOf(urns: readonly string[], { type, name }: { type: string; name: string }): string | undefined {
  const urn = urns.find((candidate) => candidate.endsWith(`${type}::${name}`) && candidate.includes('$')) ?? '';
  return urn.includes('$') ? shortType(urn.split('::')[2]?.split('$')[0] ?? '') : undefined;
}

function plain(outputs: unknown): unknown {
  return typeof outputs === 'object' && outputs !== null && 'toJavaScript' in outputs ? (outputs as { toJavaScript(): unknown }).toJavaScript() : outputs;
}
