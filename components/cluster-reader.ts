import { setTimeout as delay } from 'node:timers/promises';

import type { KubernetesObject } from '@kubernetes/client-node';
import * as pulumi from '@pulumi/pulumi';

import { clientOf, type Kubeconfig, reasonOf } from './cluster-client.ts';

/** Names one object of a cluster. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent for objects of the cluster itself. */
  readonly namespace?: string;
  readonly name: string;
}

/** An object as the API server has it. */
export type LiveObject = KubernetesObject & Record<string, unknown>;

/** What of an object is wanted, and how long it may take. */
export interface FieldWanted<T> {
  /** The field, or undefined while it is not there. */
  readonly select: (object: LiveObject) => T | undefined;
  /** What the field is, for the message: `load balancer address`. */
  readonly what: string;
  /** Which one it has to be, where not any will do, for the message: `34.1.1.1`. */
  readonly which?: string | undefined;
  readonly timeoutMs: number;
}

/**
 * Reads single fields of objects that operators make, past the Pulumi engine: whatever the engine reads
 * whole lands in the state whole, and a Secret or a Service that does not exist yet fails the first preview.
 */
export interface ClusterReader {
  /** The object, or undefined if there is none. */
  read(reference: ObjectReference): Promise<LiveObject | undefined>;
  /**
   * Waits for a field. In a preview it looks once, and a field that is not there is an unknown output.
   * @throws pulumi.RunError that names object, cluster and last state when the time is over
   */
  awaitField<T>(reference: ObjectReference, wanted: FieldWanted<T>): pulumi.Output<T>;
  /** Kinds that the API server serves of a group of resources, by version, none where it does not know the group; undefined where no cluster is asked at all. */
  served(group: string): Promise<ServedKinds | undefined>;
}

export type ServedKinds = ReadonlyMap<string, readonly string[]>;

const pollMs = 500;

export function readerOf(kubeconfig: Kubeconfig, context: string): ClusterReader {
  const { read, served } = clientOf(kubeconfig, context);
  return { read, served, awaitField: (reference, wanted) => pulumi.output(awaitField(read, { kubeconfig, context, reference }, wanted)) as pulumi.Output<never> };
}

interface Place {
  readonly kubeconfig: Kubeconfig;
  readonly context: string;
  readonly reference: ObjectReference;
}

async function awaitField<T>(read: ClusterReader['read'], place: Place, { select, what, which, timeoutMs }: FieldWanted<T>): Promise<T | typeof pulumi.unknown> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { object, failure } = await attempt(() => read(place.reference));
    const value = object === undefined ? undefined : select(object);
    if (value !== undefined) return value;
    if (pulumi.runtime.isDryRun()) {
      if (failure !== undefined) await pulumi.log.warn(`${nameOf(place.reference)} in cluster ${place.context}: ${failure}`);
      return pulumi.unknown;
    }
    if (performance.now() > deadline) throw plainError(overdue(place, `no ${what}${which === undefined ? '' : ` ${which}`} after ${Math.round(timeoutMs / 1_000)} s`, failure ?? stateOf(object)));
    await delay(pollMs);
  }
}

function overdue({ kubeconfig, context, reference }: Place, lack: string, state: string): string {
  const { kind, namespace, name } = reference;
  const inNamespace = namespace === undefined ? '' : ` -n ${namespace}`;
  const file = 'file' in kubeconfig ? ` --kubeconfig ${kubeconfig.file}` : '';
  return (
    `${nameOf(reference)} in cluster ${context} has ${lack}; last state: ${state}.\n` +
    `See: kubectl${file} --context ${context} describe ${kind.toLowerCase()}${inNamespace} ${name}`
  );
}

/**
 * An error that Pulumi prints as it is: without the path of every property on the way, which the SDK writes before its message, and
 * without a stack trace, which it prints of an error that comes after the program's last line.
 */
export function plainError(text: string): pulumi.RunError {
  return Object.defineProperties(new pulumi.RunError(text), { message: { get: () => text, set: () => undefined }, stack: { value: text } });
}

/** `Kafka kafka-cluster/kafka`. */
export function nameOf({ kind, namespace, name }: ObjectReference): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** The status of an object in one line: its conditions, or what it has instead of them. */
export function stateOf(object: LiveObject | undefined): string {
  if (object === undefined) return 'there is no such object';
  const status = object['status'];
  if (typeof status !== 'object' || status === null || Object.keys(status).length === 0) return 'it has no status: no operator has answered yet';
  const { conditions, ...rest } = status as { conditions?: unknown } & Record<string, unknown>;
  if (!Array.isArray(conditions) || conditions.length === 0) return `status ${JSON.stringify(rest)}`;
  return conditions.map(conditionText).join('; ');
}

function conditionText(condition: unknown): string {
  const { type, status, reason, message } = condition as Record<string, unknown>;
  const why = [reason, message].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return `condition ${String(type)}=${String(status)}${why === '' ? '' : ` (${why})`}`;
}

/** While waiting, an API server that does not answer is one more state, not the end. */
async function attempt(read: () => Promise<LiveObject | undefined>): Promise<{ object?: LiveObject | undefined; failure?: string }> {
  try {
    return { object: await read() };
  } catch (error) {
    return { failure: `the API server cannot be asked: ${reasonOf(error)}` };
  }
}
