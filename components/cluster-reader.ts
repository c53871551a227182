import { setTimeout as delay } from 'node:timers/promises';

import type { KubernetesObject } from '@kubernetes/client-node';
import * as pulumi from '@pulumi/pulumi';

import { shellWord } from '../config/shell-word.ts';
import { clientOf, type Kubeconfig, reasonOf } from './cluster-client.ts';
import { whyNotAvailable } from './waiting-pods.ts';

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
  /** What an operator makes the object of: where there is no such object, this says why. */
  readonly madeOf?: ObjectReference | undefined;
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
   * Waits for a field, and says so once a tenth of its time is over. In a preview it looks once, and a field that is not there is an unknown output.
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

async function awaitField<T>(read: ClusterReader['read'], place: Place, { select, what, which, madeOf, timeoutMs }: FieldWanted<T>): Promise<T | typeof pulumi.unknown> {
  const deadline = performance.now() + timeoutMs;
  const wanted = `${what}${which === undefined ? '' : ` ${which}`}`;
  let isTold = false;
  for (;;) {
    const { object, failure } = await attempt(() => read(place.reference));
    const value = object === undefined ? undefined : select(object);
    if (value !== undefined) return value;
    if (pulumi.runtime.isDryRun()) {
      if (failure !== undefined) await pulumi.log.warn(`${nameOf(place.reference)} in cluster ${place.context}: ${failure}`);
      return pulumi.unknown;
    }
    const seconds = Math.round(timeoutMs / 1_000);
    if (performance.now() > deadline) {
      const { state, see } = failure === undefined ? await explained(read, place, { object, madeOf }) : { state: failure, see: [describing(place.reference)] };
      throw plainError(`${nameOf(place.reference)} in cluster ${place.context} has no ${wanted} after ${seconds} s; last state: ${state}.\nSee: ${see.map((command) => `${kubectl(place)} ${command}`).join('; ')}`);
    }
    if (!isTold && performance.now() > deadline - 0.9 * timeoutMs) {
      isTold = true;
      await pulumi.log.info(`waiting for the ${wanted} of ${nameOf(place.reference)} in cluster ${place.context}, ${seconds} s at most; its state now: ${failure ?? stateOf(object)}`);
    }
    await delay(pollMs);
  }
}

/** The last state of an object with what else is known of it, and the commands of kubectl that say more. */
async function explained(read: ClusterReader['read'], { kubeconfig, context, reference }: Place, { object, madeOf }: { object: LiveObject | undefined; madeOf: ObjectReference | undefined }): Promise<{ state: string; see: string[] }> {
  const state = stateOf(object);
  if (object === undefined && madeOf !== undefined) {
    const { object: origin, failure } = await attempt(() => read(madeOf));
    return { state: `${state}, and of ${nameOf(madeOf)} (${madeOf.apiVersion}), of which it is made: ${failure ?? stateOf(origin)}`, see: [describing(madeOf)] };
  }
  if (object === undefined || reference.kind !== 'Deployment') return { state, see: [describing(reference)] };
  const why = await whyNotAvailable(kubeconfig, context, object);
  return { state: why === undefined ? state : `${state}; ${why}`, see: [describing(reference), `get pods,events${inNamespace(reference)}`] };
}

function kubectl({ kubeconfig, context }: Place): string {
  return `kubectl${'file' in kubeconfig ? ` --kubeconfig ${shellWord(kubeconfig.file)}` : ''} --context ${shellWord(context)}`;
}

/** With its group where others may have the same kind. */
function describing(reference: ObjectReference): string {
  const [group] = reference.apiVersion.split('/v');
  const kind = group?.includes('.') === true ? `${reference.kind}.${group}` : reference.kind;
  return `describe ${kind.toLowerCase()}${inNamespace(reference)} ${reference.name}`;
}

function inNamespace({ namespace }: ObjectReference): string {
  return namespace === undefined ? '' : ` -n ${namespace}`;
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

/** The status of an object in one line: its conditions, or what it has instead of them, and whether that is of an older generation than the object. */
export function stateOf(object: LiveObject | undefined): string {
  if (object === undefined) return 'there is no such object';
  const status = object['status'];
  if (typeof status !== 'object' || status === null || Object.keys(status).length === 0) return 'it has no status: no operator has answered yet';
  const { conditions, ...rest } = status as { conditions?: unknown } & Record<string, unknown>;
  const said = Array.isArray(conditions) && conditions.length > 0 ? conditions.map(conditionText).join('; ') : `status ${JSON.stringify(rest)}`;
  const { generation = 0 } = object.metadata ?? {};
  const observed = Number(rest['observedGeneration'] ?? generation);
  return observed < generation ? `${said}; all this of generation ${observed}: of generation ${generation} no operator has said anything yet` : said;
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
