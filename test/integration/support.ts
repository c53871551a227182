/** What the integration tests share: `kbf` as a person runs it, and a look at what is left on the machine. */
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, readlink, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onInterrupt } from '../../automation/interrupt.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What `kbf sandbox up --json` and `kbf sandbox status --json` answer. */
export interface SandboxAnswer {
  readonly name: string;
  readonly dir: string;
  readonly clusters: readonly { readonly name: string; readonly role: string; readonly region: string }[];
  readonly kubeconfig: string;
  readonly outsideKubeconfig: string;
  readonly relays: Readonly<Record<string, string>>;
  readonly parts: Readonly<Record<string, { readonly kind: string; readonly version: string }>>;
}

/** A state directory of its own, where one test file's sandboxes live. */
export class Workshop {
  readonly stateDir: string;

  constructor(stateDir: string) {
    this.stateDir = stateDir;
  }

  static async make(): Promise<Workshop> {
    const made = new Workshop(await mkdtemp(join(tmpdir(), 'kbf-test-')));
    open.add(made);
    return made;
  }

  /** Starts `kbf` with the arguments. */
  start(...args: readonly string[]) {
    // What is told to stop takes the time that its cleaning up takes: execa would kill it after 5 s.
    return execa(process.execPath, ['automation/kbf.mjs', '--state-dir', this.stateDir, ...args], { cwd: root, reject: false, all: true, stdin: 'ignore', forceKillAfterDelay: false });
  }

  /** Runs `kbf` and answers its JSON document; fails with everything it said when it did not exit with 0. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { stdout, all, exitCode } = await this.start(...args, '--json');
    if (exitCode !== 0) throw new Error(`kbf ${args.join(' ')} ended with ${String(exitCode)}:\n${all}`);
    return JSON.parse(stdout) as T;
  }

  /** Runs a command inside a sandbox and answers its standard output. */
  async inside(name: string, ...argv: readonly string[]): Promise<string> {
    const { stdout, all, exitCode } = await this.start('sandbox', 'shell', '--name', name, '--', ...argv);
    if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${String(exitCode)} inside ${name}:\n${all}`);
    return stdout;
  }

  /** The paths of the tools that a sandbox runs on. */
  async toolsOf<T>({ dir }: SandboxAnswer): Promise<T> {
    return JSON.parse(await readFile(join(dir, 'tools.json'), 'utf8')) as T;
  }

  /** Runs kubectl from outside a sandbox, which keeps what it caches with the workshop, and answers its standard output. */
  async kubectl(sandbox: SandboxAnswer, context: string, ...args: readonly string[]): Promise<string> {
    const { kubectl } = await this.toolsOf<{ kubectl: string }>(sandbox);
    const { stdout } = await execa(kubectl, ['--kubeconfig', sandbox.outsideKubeconfig, '--cache-dir', join(this.stateDir, 'kubectl'), '--context', context, ...args]);
    return stdout;
  }

  async remove(): Promise<void> {
    open.delete(this);
    await rm(this.stateDir, { recursive: true, force: true });
  }

  /** Stops the sandboxes of tests that will not come to their own end, and removes everything. */
  async abandon(): Promise<void> {
    const names = await readdir(join(this.stateDir, 'sandboxes')).catch(() => []);
    for (const name of names) await this.start('sandbox', 'down', '--name', name);
    await this.remove();
  }
}

const open = new Set<Workshop>();

// Mocha would go on with a test, or end and leave the sandboxes running. They are no children of this process: nobody else would ever stop them.
onInterrupt((why) => {
  process.stderr.write(`\n${why}: stopping what the tests have running\n`);
  void Promise.allSettled([...open].map((workshop) => workshop.abandon())).then(() => process.exit(130));
  return true;
});

/** The PID namespaces of a state directory's sandboxes: whatever lives in one of them is theirs. */
export async function pidNamespaces(stateDir: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { pid, command } of await processes()) {
    if (command.includes('init.ts') && command.includes(stateDir)) found.add(await namespaceOf(pid));
  }
  found.delete(await namespaceOf('self'));
  found.delete('');
  return found;
}

/**
 * What a sandbox has left behind, one line each: processes in its namespaces or with its directory on their command line,
 * mounts, and directories of sandboxes.
 */
export async function leftBehind(stateDir: string, namespaces: ReadonlySet<string> = new Set()): Promise<string[]> {
  const left: string[] = [];
  for (const { pid, command } of await processes()) {
    if (command.includes(stateDir) || namespaces.has(await namespaceOf(pid))) left.push(`process ${pid}: ${command}`);
  }
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  left.push(...mounts.split('\n').filter((line) => line.includes(stateDir)).map((line) => `mount ${line}`));
  const sandboxes = join(stateDir, 'sandboxes');
  if (existsSync(sandboxes)) left.push(...(await readdir(sandboxes)).map((name) => `directory ${join(sandboxes, name)}`));
  return left;
}

/** Whether something listens at `host:port`. */
export function answers(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => { resolve(false); });
  });
}

/** Asks again until the answer is defined; the last question's error, or the wanted thing's name, when time is up. */
export async function eventually<T>(what: string, withinMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + withinMs;
  let reason = 'it never happened';
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      reason = (error as Error).message;
    }
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  }
  throw new Error(`${what} within ${String(withinMs)} ms: ${reason}`);
}

async function processes(): Promise<{ pid: string; command: string }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const read = await Promise.all(pids.map(async (pid) => {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return { pid, command: command.replaceAll('\0', ' ').trim() };
  }));
  return read.filter(({ command }) => command !== '');
}

async function namespaceOf(pid: string): Promise<string> {
  return await readlink(`/proc/${pid}/ns/pid`).catch(() => '');
}
