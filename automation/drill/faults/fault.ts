import type { BridgeApi } from '../kubernetes.ts';

/**
 * Something done to one region, and undone. `Undo` is what healing needs to know; it is journaled before inject, so that
 * another process can heal what this one left.
 */
export interface Fault<Undo = unknown> {
  name: string;
  /** What it does and to whom, for a person. */
  blastRadius: string;
  /** Reads what heal will need. Changes nothing. Throws a UserError when the fault cannot be injected. */
  prepare(target: BridgeApi): Promise<Undo>;
  inject(target: BridgeApi, undo: Undo): Promise<void>;
  /** Whether the cluster shows the fault's effect. */
  isEffective(target: BridgeApi, undo: Undo): Promise<boolean>;
  /** Undoes it. Safe to repeat. False when there was nothing to undo (any more). */
  heal(target: BridgeApi, undo: Undo): Promise<boolean>;
  /** Whether the cluster is as it was. */
  isHealed(target: BridgeApi, undo: Undo): Promise<boolean>;
}
