import { shellWord } from '../../../config/shell-word.ts';
import { UserError } from '../../../errors.ts';
import { Cluster } from '../cluster.ts';
import type { LeasePlace } from '../lease.ts';
import { BridgeApi } from '../kubernetes.ts';
import type { BridgeRef } from '../kubernetes.ts';

/** A region as far as a fault can reach into it. */
export interface RegionRef extends BridgeRef {
  name: string;
  /** Name of its gateway, in the bridge's namespace. */
  gateway?: string;
}

/** Where a fault works, in plain names: enough for another process to heal it. */
export interface TargetRefs {
  run: string;
  /** The region to hurt. */
  region: RegionRef;
  regions: RegionRef[];
  /** Kafka's cluster, where it is the program's own. */
  kafka?: { context: string; namespace: string; name: string };
  tier1?: { context: string; namespace: string; gateway: string };
  /** Where the Lease is that one drill at a time holds. */
  lease: LeasePlace;
  /** How long the fault is to last, seconds. */
  forSeconds: number;
}

/** What Kafka itself says; there is nobody to ask it when a fault is only healed. */
export interface KafkaView {
  topic: string;
  /** Node id of the broker that leads partition 0 of the drill's topic. */
  leader(): Promise<number>;
  /** Host names or addresses by which brokers are told to be reached. */
  hosts(): Promise<string[]>;
}

/** Where a fault works, with a client for each cluster that it reaches into. */
export class Target {
  readonly refs: TargetRefs;
  readonly bridge: BridgeApi;
  readonly #kubeconfig: string;
  readonly #kafkaView: KafkaView | undefined;
  readonly #clusters = new Map<string, Cluster>();

  constructor(kubeconfig: string, refs: TargetRefs, kafkaView?: KafkaView) {
    this.#kubeconfig = kubeconfig;
    this.refs = refs;
    this.#kafkaView = kafkaView;
    this.bridge = new BridgeApi(this.region, refs.region);
  }

  /** The cluster of that context. */
  cluster(context: string): Cluster {
    const known = this.#clusters.get(context) ?? new Cluster(this.#kubeconfig, context);
    this.#clusters.set(context, known);
    return known;
  }

  /** The cluster of the region to hurt. */
  get region(): Cluster {
    return this.cluster(this.refs.region.context);
  }

  get kafkaView(): KafkaView {
    if (this.#kafkaView === undefined) throw new Error('Kafka can only be asked while a drill runs');
    return this.#kafkaView;
  }

  get kafka(): NonNullable<TargetRefs['kafka']> {
    return this.refs.kafka ?? refuse('Kafka is not this program\'s own, so its pods are nobody\'s to hurt');
  }

  get tier1(): NonNullable<TargetRefs['tier1']> {
    return this.refs.tier1 ?? refuse('the outputs do not say where tier1 runs', 'deploy again with this version (kbf up)');
  }

  get gateway(): string {
    return this.refs.region.gateway ?? refuse('the outputs do not name the region\'s gateway', 'deploy again with this version (kbf up)');
  }
}

/** The run that made an object, as its label. */
export const runLabel = 'kafka-bridge-failover/run';

/** Names of one run's objects do not meet another's. */
export function nameOf({ refs }: Target, what: string): string {
  return `kbf-drill-${refs.run}-${what}`;
}

/** The cluster, the credentials or the stack cannot do this: told before anything is touched. */
export function refuse(what: string, remedy = 'choose another fault (kbf faults list)'): never {
  throw new UserError(what, { exitCode: 2, remedy });
}

/** Refuses where a drill's object is another run's: nobody here can heal it, as its journal is elsewhere. `harm`: what it does as long as it is there. */
export function mustBeOfThisRun({ refs }: Target, drills: readonly { metadata?: { name?: string; labels?: Record<string, string> } }[], { kind, resource, context, namespace, harm }: { kind: string; resource: string; context: string; namespace: string; harm: string }): void {
  const left = drills.find(({ metadata }) => metadata?.labels?.[runLabel] !== refs.run);
  if (left === undefined) return;
  const { name = '', labels } = left.metadata ?? {};
  refuse(`${kind} ${namespace}/${name} in cluster ${context} was left by drill ${labels?.[runLabel] ?? 'unknown'}, of which the journal here knows nothing: ${harm}`,
    `heal where that drill was driven (kbf faults heal), or delete it: kubectl --context ${shellWord(context)} --namespace ${namespace} delete ${resource} ${name}`);
}

/** What was refused, if it was; any other failure is thrown on. */
export async function refusalOf(asked: Promise<unknown>): Promise<UserError | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    if (error instanceof UserError && error.exitCode === 2) return error;
    throw error;
  }
}
