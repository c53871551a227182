import { setTimeout as delay } from 'node:timers/promises';

import * as pulumi from '@pulumi/pulumi';

import { asRecord } from '../config/text.ts';
import type { Cluster } from './cluster.ts';
import { reasonOf } from './cluster-client.ts';
import { type LiveObject, nameOf, type ObjectReference, stateOf } from './cluster-reader.ts';

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
  let asked = Promise.resolve();
  const noting: pulumi.ResourceTransformation = ({ props, opts }) => {
    if (!pulumi.runtime.isDryRun()) asked = askedFor(props, opts);
    return undefined;
  };
  const resource = make({ annotations: { 'pulumi.com/waitFor': waitFor }, options: { customTimeouts: { create: timeout, update: timeout }, transformations: [noting] } });
  if (!pulumi.runtime.isDryRun()) void asked.then(() => warnBeforeTimeout(resource, object, cluster, { waitFor, seconds }));
  return resource;
}

/** Readiness of the objects that TSB takes; see the configuration's `tsb.acceptedWhen`. */
export function accepted(acceptedWhen: string | undefined): Readiness {
  return { waitFor: acceptedWhen, seconds: 120 };
}

const pollMs = 1_000;
/** Enough to ask the API server once more before the provider gives up. */
const marginMs = 5_000;

/** Resolves when the engine is about to be asked for a resource: what it is made of is known, and what it comes after is there. */
async function askedFor(props: pulumi.Inputs, { dependsOn = [], parent }: pulumi.ResourceOptions): Promise<void> {
  const before = await known<pulumi.Resource | pulumi.Resource[]>(dependsOn as pulumi.Input<pulumi.Resource[]>);
  await Promise.all([known(props), ...[before, parent ?? []].flat().map(({ urn }) => known(urn))]);
}

async function known<T>(value: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  return await new Promise((resolve) => { pulumi.output(value).apply(resolve); });
}

/**
 * Counts from when the object is there and not ready, as the provider does: on a running stack it is there before it is changed. Its timer never keeps the program
 * from ending.
 */
async function warnBeforeTimeout(resource: pulumi.Resource, object: ObjectReference, cluster: Cluster, { waitFor, seconds }: { waitFor: string; seconds: number }): Promise<void> {
  let registered = false;
  resource.urn.apply(() => (registered = true));
  let deadline: number | undefined;
  for (;;) {
    await delay(pollMs, undefined, { ref: false });
    if (registered) return;
    const { live, failure } = await look(object, cluster);
    if (failure === undefined) deadline = live === undefined || isReady(live, waitFor) ? undefined : deadline ?? performance.now() + seconds * 1_000 - marginMs;
    if (deadline !== undefined && performance.now() > deadline) {
      await pulumi.log.warn(`${nameOf(object)} in cluster ${cluster.name} is not ready, and the ${seconds} s it has are over; last state: ${failure ?? stateOf(live)}`);
      return;
    }
  }
}

async function look(object: ObjectReference, { reader }: Cluster): Promise<{ live?: LiveObject | undefined; failure?: string }> {
  try {
    return { live: await reader.read(object) };
  } catch (error) {
    return { failure: `the API server cannot be asked: ${reasonOf(error)}` };
  }
}

/** For its current generation; false where that cannot be told here, as by a path with more in it than names. */
function isReady(live: LiveObject, waitFor: string): boolean {
  const { observedGeneration, conditions } = asRecord(live['status']);
  const { generation } = live.metadata ?? {};
  const [, type, status = 'True'] = /^condition=([^=]+)(?:=(.+))?$/.exec(waitFor) ?? [];
  if (type !== undefined) {
    return (Array.isArray(conditions) ? conditions.map(asRecord) : []).some((each) =>
      each['type'] === type && each['status'] === status && (observedGeneration ?? each['observedGeneration'] ?? generation) === generation);
  }
  const [, path, value] = /^jsonpath=\{((?:\.[-\w]+)+)\}(?:=(.+))?$/.exec(waitFor) ?? [];
  const found = path?.split('.').slice(1).reduce<unknown>((at, name) => asRecord(at)[name], live);
  return found !== undefined && (value === undefined || String(found as string | number | boolean) === value) && (observedGeneration ?? generation) === generation;
}
