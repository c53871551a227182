/** What the tree's first process tells the process that starts it, on their IPC channel. */
export type ToStarter =
  | { readonly kind: 'event'; readonly phase: string; readonly detail?: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string; readonly remedy?: string }
  | { readonly kind: 'detached' };

/** What the starter says: from here on the tree outlives it. */
export type FromStarter = { readonly kind: 'detach' };

/**
 * The first line on a connection to the control socket, as JSON.
 * `status`: answered by one line, a StatusReport. `stop`: everything ends in order, answered by a line when it has.
 * `targets`: answered by a line with all Targets at once and after each change, for as long as the tree lives.
 * `connect`: bytes flow to and from that target after the line.
 */
export type ControlRequest = { readonly op: 'status' | 'stop' | 'targets' } | { readonly op: 'connect'; readonly to: string };

/** What relays can reach: name to address inside the tree. */
export type Targets = Record<string, { readonly host: string; readonly port: number }>;

export interface ProcessStatus {
  readonly name: string;
  readonly state: 'running' | 'restarting' | 'ended';
  /** Inside the tree. */
  readonly pid: number;
  readonly restarts: number;
  /** Why it ended last, if it has. */
  readonly detail?: string;
  readonly log: string;
}

export interface StatusReport { readonly processes: readonly ProcessStatus[] }
