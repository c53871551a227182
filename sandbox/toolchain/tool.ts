import type { Downloads } from './download.ts';

/** What the sandbox runs on; `pulumi` and `kubernetes` are several executables in one bin/ directory. */
export type ToolName =
  | 'pulumi' | 'pulumi-resource-command' | 'pulumi-resource-tls' | 'etcd' | 'kubernetes' | 'istiod' | 'cert-manager'
  | 'envoy' | 'java' | 'kafka' | 'kafka-older' | 'strimzi-crds' | 'kafka-bridge';

/** A tool that is ready to use. */
export interface Tool {
  name: ToolName;
  /** What the tool itself answered when it was asked. */
  version: string;
  source: 'explicit' | 'cache' | 'download' | 'build';
  /** How a tool that comes from the cache once got into it. */
  origin?: 'download' | 'build';
  /** Absolute path of its directory. */
  home: string;
  sizeBytes: number;
}

export interface ToolEvent {
  tool: ToolName;
  phase: 'resolving' | 'downloading' | 'building' | 'verifying' | 'ready' | 'unavailable';
  detail?: string;
  /** Milliseconds since the work on this tool began. */
  elapsedMs: number;
  /** Expected milliseconds of the phase, where it is long enough to tell. */
  estimateMs?: number;
}

/** Go itself is had like any tool, but only where a build needs it: it is no part of the sandbox. */
export type SpecName = ToolName | 'go';

/** One row of the table. */
export interface ToolSpec {
  name: SpecName;
  version: string;
  /** Raised whenever a build of the same version gives something else, so that older caches are not taken for it. */
  recipe: number;
  /** What has to exist in the tool's home, relative to it. */
  files: readonly string[];
  /** The version that the tool in `home` answers; throws when it does not. */
  ask(home: string, work: Asking): Promise<string>;
  /** The publisher's own binaries, one entry a file; absent where none are published. */
  downloads?: readonly Download[];
  /** Makes the tool from a package registry into `work.home`; absent where no registry has it. */
  build?: { from: string; estimateMs: number; make(work: Work): Promise<void> };
  /** The last step of having it, from whichever source: adds to `work.home` what only this machine can make. */
  finish?(work: Work): Promise<void>;
  /** Compiled, in minutes: begun only when everything quick is there. */
  slow?: true;
  /** There is a sandbox without it: with a stand-in of ours in its place, or with less. */
  optional?: 'stand-in' | 'less';
}

/** A file published by the tool's makers and where its checksum stands. */
export interface Download {
  url: string;
  /** The publisher's checksum file, or the digest that GitHub records for the release's asset. */
  checksum: { algorithm: 'sha256' | 'sha512'; url: string } | { githubRelease: string };
  /** What becomes of it: one file under the home, or the entries of a .tar.gz that `keep` names a new path for. */
  place: { file: string; executable?: true } | { keep: (entry: string) => string | undefined };
}

/** What a version check may use. */
export interface Asking {
  signal: AbortSignal | undefined;
  /** The home of another tool, had on demand. */
  homeOf(name: SpecName): Promise<string>;
}

/** What a build may use. */
export interface Work extends Asking {
  /** Becomes the tool's home, once its version answered. */
  home: string;
  /** For whatever the build needs in passing; removed afterwards. */
  scratch: string;
  cacheDir: string;
  downloads: Downloads;
  report(detail: string): void;
}
