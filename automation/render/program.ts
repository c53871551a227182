import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from '../../components/cluster.ts';
import { refuseOtherSdk } from '../../components/sdk-version.ts';
import { buildTopology } from '../../components/topology.ts';
import type { Configuration } from '../../config/schema.ts';
import { placeholder } from './placeholders.ts';
import { offlineReader, type Read } from './reader.ts';
import { settled } from './settled.ts';

/** One resource as the engine would have got it. Values that are not known yet are `pulumi.unknown`, secret ones wrapped as Pulumi wraps them. */
export interface Registered {
  /** `kubernetes:core/v1:Namespace`. */
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  /** Name of its provider, which for Kubernetes is the context of the cluster; undefined where it has none of its own. */
  readonly provider: string | undefined;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** All that the program would do. */
export interface Registration {
  readonly resources: readonly Registered[];
  readonly reads: readonly Read[];
}

/**
 * Every resource that the program would register. Nothing is contacted: Pulumi's own mocks take the engine's place, in a preview.
 * They are the process's: call it once in a process.
 * @throws pulumi.RunError for what the program refuses, an SDK that is of no use to it among it
 */
export async function registrationOf(configuration: Configuration, stack: string): Promise<Registration> {
  refuseOtherSdk();
  const made: Registered[] = [];
  const reads: Read[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, provider }) => {
        made.push({ type, name, provider: provider?.split('::').slice(3, -1).join('::') || undefined, inputs: inputs as Record<string, unknown> });
        return { id: `${name}-id`, state: { ...inputs as object, ...computed(type, name) } };
      },
      call: ({ token }) => { throw new Error(`${token} cannot be asked: nothing is contacted`); },
    },
    'kafka-bridge-failover',
    stack,
    true,
  );
  const clusters = new Map<string, Cluster>();
  buildTopology(configuration, (context) => {
    const cluster = clusters.get(context) ?? { name: context, provider: new k8s.Provider(context, { context }), reader: offlineReader(context, reads), kubeconfig: { file: placeholder(`kubeconfig of ${context}`) } };
    clusters.set(context, cluster);
    return cluster;
  });
  await settled();
  return { resources: made, reads };
}

/** Outputs that a provider computes, and that other objects are made of; any that is not here is unknown. */
function computed(type: string, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(outputsOf[type] ?? {}).map(([output, words]) => [output, placeholder(`${words} ${name}`)]));
}

const outputsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'tls:index/privateKey:PrivateKey': { privateKeyPem: 'key', privateKeyPemPkcs8: 'key', publicKeyPem: 'public part of key' },
  'tls:index/selfSignedCert:SelfSignedCert': { certPem: 'certificate' },
  'gcp:compute/address:Address': { address: 'reserved address' },
  'gcp:compute/globalAddress:GlobalAddress': { address: 'reserved address' },
};
