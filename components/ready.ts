import { setTimeout as delay } from 'node:timers/promises';

import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { nameOf, type ObjectReference, stateOf } from './cluster-reader.ts';

/** How an object tells that it is done, and how long that may take. */
export interface Readiness {
  /** As the annotation `pulumi.com/waitFor` has it: `condition=Ready`, `jsonpath={.status.state}=ACCEPTED`; undefined: nothing is awaited. */
  readonly waitFor: string | undefined;
  readonly seconds: number;
}

/** What a custom resource needs so that its creation and every change last until it is ready. */
export interface Wait {
  /** Belongs into the object's metadata. */
  readonly annotations: Record<string, string>;
  /** Belongs into the resource's options. */
  readonly options: pulumi.CustomResourceOptions;
}

/**
 * Makes a custom resource whose creation and updates wait until the object is ready for its current generation.
 * When the time is over the Kubernetes provider says no more than that; what the operator said last is said here, just before.
 */
export function untilReady<R extends pulumi.Resource>(object: ObjectReference, cluster: Cluster, readiness: Readiness, make: (wait: Wait) => R): R {
  const { waitFor, seconds } = readiness;
  if (waitFor === undefined) return make({ annotations: {}, options: {} });

  const timeout = `${seconds}s`;
  const resource = make({ annotations: { 'pulumi.com/waitFor': waitFor }, options: { customTimeouts: { create: timeout, update: timeout } } });
  if (!pulumi.runtime.isDryRun()) void warnBeforeTimeout(resource, object, cluster, seconds);
  return resource;
}

/** Readiness of the objects that TSB takes; see the configuration's `tsb.acceptedWhen`. */
export function accepted(acceptedWhen: string | undefined): Readiness {
  return { waitFor: acceptedWhen, seconds: 120 };
}

const pollMs = 1_000;
/** Enough to ask the API server once more before the provider gives up. */
const marginMs = 5_000;

/** Counts from when the object is there, as the provider does. Its timer never keeps the program from ending. */
async function warnBeforeTimeout(resource: pulumi.Resource, object: ObjectReference, cluster: Cluster, seconds: number): Promise<void> {
  let registered = false;
  resource.urn.apply(() => (registered = true));
  let deadline: number | undefined;
  for (;;) {
    await delay(pollMs, undefined, { ref: false });
    if (registered) return;
    if (deadline === undefined || performance.now() > deadline) {
      const { there, state } = await look(object, cluster);
      if (deadline !== undefined) {
        await pulumi.log.warn(`${nameOf(object)} in cluster ${cluster.name} is not ready, and the ${seconds} s it has are over; last state: ${state}`);
        return;
      }
      if (there) deadline = performance.now() + seconds * 1_000 - marginMs;
    }
  }
}

async function look(object: ObjectReference, { reader }: Cluster): Promise<{ there: boolean; state: string }> {
  try {
    const live = await reader.read(object);
    return { there: live !== undefined, state: stateOf(live) };
  } catch (error) {
    return { there: false, state: `the API server cannot be asked: ${String(error)}` };
  }
}
