/** The sandbox: real clusters on this machine, in a tree of Linux namespaces. */
export { cleanLeftovers } from './machine/leftovers.ts';
export type { ClusterInfo } from './machine/clusters.ts';
export type { Part } from './machine/parts.ts';
export { checkPrerequisites } from './machine/prerequisites.ts';
export type { StatusReport } from './machine/protocol.ts';
export { openSandbox, removeSandbox } from './machine/running.ts';
export type { EnterOptions, Sandbox } from './machine/running.ts';
export { checkStart, startSandbox } from './machine/start.ts';
export type { SandboxEvent, SandboxOptions } from './machine/start.ts';
