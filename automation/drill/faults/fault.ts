import type { Serving } from '../plan.ts';
import type { Target } from './target.ts';

/**
 * Something done to a stack, and undone. `Undo` is what healing needs to know; it is journaled before inject, so that
 * another process can heal what this one left.
 */
export interface Fault<Undo = unknown> {
  name: string;
  /** What it does and to whom, for a person. */
  blastRadius: string;
  /** What a cluster and a person's rights there have to offer. */
  needs: string;
  expects: Expectation;
  /**
   * What it is over by: healing alone; healing or a limit of its own, which holds even when driver and API server are gone; or nothing but
   * itself, so that the drill waits for its end instead of healing after a time.
   */
  ends: 'healed' | 'healed or by itself' | 'by itself';
  /** What is in flight when it strikes cannot be saved without being written twice. */
  losesInFlight?: true;
  /** Requests and records wait where it strikes, and are carried out once it is over. Absent where the process that had them is gone. */
  holdsBack?: true;
  /** What it hits, as a person finds it in its cluster. */
  describe(target: Target): string;
  /** By which means it is made, where there are several: `by NetworkPolicies`; or which of several it hits, by name. It stands in the report beside what is hit. */
  means?(undo: Undo): string;
  /** Reads what heal will need. Changes nothing. Throws a UserError, with exit code 2 where this stack or these rights cannot do it. */
  prepare(target: Target): Promise<Undo>;
  /**
   * Makes anew, before anything is measured, what would come back late this time: a container that has been started again lately is made to wait by the
   * kubelet, for longer each time. Returns what is made anew, of which `isHealed` then says when it is there; undefined where nothing had to be done.
   */
  refresh?(target: Target, undo: Undo): Promise<Undo | undefined>;
  /** What has to be so before the load, where that is not the steady state; it is healed like the fault itself. */
  arrange?(target: Target, undo: Undo): Promise<void>;
  /** Whether what was arranged is so. */
  isArranged?(target: Target, undo: Undo): Promise<boolean>;
  /** Where that takes long, the signal ends it early; it resolves then, and is healed. */
  inject(target: Target, undo: Undo, signal?: AbortSignal): Promise<void>;
  /** Whether the effect is seen in the cluster, not only in what was asked for. */
  isEffective(target: Target, undo: Undo): Promise<boolean>;
  /** Whether it is still there while it is held, where `isEffective` is not to be asked for that. Asked again and again. */
  lasts?(target: Target, undo: Undo): Promise<boolean>;
  /** Undoes it. Safe to repeat. False when there was nothing to undo (any more). */
  heal(target: Target, undo: Undo): Promise<boolean>;
  /** Whether the cluster is as it was. */
  isHealed(target: Target, undo: Undo): Promise<boolean>;
}

/** Who answers if failover works. Where nothing is said, everybody serves. */
export interface Expectation {
  /** The region that is hurt, before the fault and under it. After it everybody serves. */
  before?: Serving;
  during: Serving;
  /** The same is expected of every region. */
  everywhere?: true;
}
