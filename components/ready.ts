import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { nameOf, type ObjectReference, stateOf } from './cluster-reader.ts';

/** How an object tells that it is done, and how long that may take. */
export interface Readiness {
  /** As the annotation `pulumi.com/waitFor` has it: `condition=Ready`, `jsonpath={.status.state}=ACCEPTED`. */
  readonly waitFor: string;
  readonly seconds: number;
}

/** What a custom resource needs so that its creation and every change last until it is ready. */
export interface UntilReady {
  /** Belongs into the object's metadata. */
  readonly annotations: Record<string, string>;
  /** Belongs into the resource's options. */
  readonly options: pulumi.CustomResourceOptions;
}

/**
 * Makes a custom resource's creation and updates wait until the object is ready for its current generation.
 * The Kubernetes provider says only that a wait timed out; the hook adds what the operator said last.
 */
export function untilReady(object: ObjectReference, cluster: Cluster, { waitFor, seconds }: Readiness): UntilReady {
  const timeout = `${seconds}s`;
  return {
    annotations: { 'pulumi.com/waitFor': waitFor },
    options: {
      customTimeouts: { create: timeout, update: timeout },
      hooks: { onError: [new pulumi.ErrorHook(`${cluster.name}/${object.kind}/${object.namespace ?? ''}/${object.name}`, () => sayLastState(object, cluster))] },
    },
  };
}

/** As untilReady, for objects that TSB takes; waits for nothing if `acceptedWhen` does not say what to wait for. */
export function accepted(object: ObjectReference, cluster: Cluster, acceptedWhen: string | undefined): UntilReady {
  return acceptedWhen === undefined ? { annotations: {}, options: {} } : untilReady(object, cluster, { waitFor: acceptedWhen, seconds: 120 });
}

/** Never retries: the wait has had its time. */
async function sayLastState(object: ObjectReference, cluster: Cluster): Promise<boolean> {
  const state = await cluster.reader.read(object).then(stateOf, (error: unknown) => `it cannot be read: ${String(error)}`);
  await pulumi.log.error(`${nameOf(object)} in cluster ${cluster.name}: ${state}`);
  return false;
}
