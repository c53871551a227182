import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { shellWord } from '../../config/shell-word.ts';
import { UserError } from '../../errors.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import type { ToolPaths } from '../../sandbox/toolchain/index.ts';
import { showSandbox, showTools } from '../live.ts';
import { inside, runningSandbox } from '../sandboxes.ts';
import type { Session } from '../session.ts';
import { defaults, sandboxName, wholeNumber } from './values.ts';

interface Flags { name: string; regions: number; json?: boolean; keepState?: boolean; lines: number }

/** `kbf sandbox up|down|status|logs|kubeconfig|shell`. */
export function addSandbox(program: Command, session: Session): void {
  const sandbox = program.command('sandbox').description('clusters on this machine, without Docker');
  const command = (name: string, description: string): Command => sandbox.command(name).description(description)
    .option('--name <name>', 'which sandbox', sandboxName, defaults.sandbox);
  command('up', 'starts one, or again the one whose state was kept')
    .option('--regions <n>', 'how many bridge regions', wholeNumber(2), defaults.regions)
    .option('--json', 'what was started as a JSON document, progress on standard error')
    .action(async (flags: Flags) => { await up(session, flags); });
  command('down', 'stops and removes it')
    .option('--keep-state', 'stops it so that `up` starts it again with its objects and records')
    .action(async (flags: Flags) => { await down(session, flags); });
  command('status', 'what runs, and where to reach it from outside')
    .option('--json', 'as a JSON document')
    .action(async (flags: Flags) => {
      const running = await open(session, flags.name);
      await describe(session, running, flags.json === true);
    });
  command('logs', 'the log of one of its processes, or which there are')
    .argument('[process]', 'the name of a log')
    .option('--lines <n>', 'how much of its end', wholeNumber(1), 200)
    .action(async (process: string | undefined, flags: Flags) => { await logs(session, flags, process); });
  command('kubeconfig', 'the path of its kubeconfig for use outside')
    .option('--json', 'both paths as a JSON document')
    .action(async (flags: Flags) => {
      const running = await open(session, flags.name);
      const paths = { outside: running.outsideKubeconfig, inside: running.kubeconfig };
      session.answer(flags.json === true, paths, () => paths.outside);
    });
  command('shell', 'a shell, or a command, inside it')
    .argument('[command...]', 'default: your shell; put -- before one with flags')
    .action(async (argv: string[], flags: Flags) => { await shell(session, flags, argv); });
}

async function open(session: Session, name: string): Promise<Sandbox> {
  return await runningSandbox(name, resolve(session.stateDir), await session.here.modules());
}

async function up(session: Session, { name, regions, json = false }: Flags): Promise<void> {
  const modules = await session.here.modules();
  const stateDir = resolve(session.stateDir);
  const progress = session.progress(json);
  await modules.checkPrerequisites();
  for (const line of await modules.cleanLeftovers(stateDir)) progress.note(line);
  const running = await modules.openSandbox(name, stateDir);
  if (running) {
    refuseOtherSize(running, regions);
    await describe(session, running, json);
    return;
  }
  // At once: what forbids it is not to be learnt after half an hour of building its tools.
  await modules.checkStart({ name, stateDir, regions });
  const tools = modules.toolPaths(await modules.ensureTools(undefined, { signal: session.signal, onEvent: showTools(progress) }));
  const started = await modules.startSandbox({ name, stateDir, regions, tools, signal: session.signal, onEvent: showSandbox(progress) });
  progress.done('sandbox');
  await started.detach();
  await describe(session, started, json);
}

function refuseOtherSize({ name, clusters }: Sandbox, regions: number): void {
  const has = clusters.filter(({ role }) => role === 'region').length;
  if (has === regions) return;
  throw new UserError(`Sandbox ${name} is running with ${String(has)} regions, not ${String(regions)}.`, {
    exitCode: 2, remedy: `Stop it first (kbf sandbox down --name ${name}), or give the new one another --name.`,
  });
}

async function down(session: Session, { name, keepState = false }: Flags): Promise<void> {
  const modules = await session.here.modules();
  for (const line of await modules.cleanLeftovers(resolve(session.stateDir))) session.here.stderr.write(`${line}\n`);
  const sandbox = await modules.openSandbox(name, resolve(session.stateDir));
  await sandbox?.stop({ keepState });
  const removed = !sandbox && !keepState && await modules.removeSandbox(name, resolve(session.stateDir));
  session.answer(false, undefined, () => {
    if (removed) return `sandbox ${name} was stopped already; its state is removed`;
    if (!sandbox) return `no sandbox named ${name} is running`;
    return `sandbox ${name} is stopped${keepState ? '; its state is kept' : ' and removed'}`;
  });
}

async function describe(session: Session, sandbox: Sandbox, json: boolean): Promise<void> {
  const { name, dir, clusters, kubeconfig, outsideKubeconfig } = sandbox;
  const [relays, parts, { processes }] = await Promise.all([sandbox.relays(), sandbox.parts(), sandbox.status()]);
  session.answer(json, { name, dir, clusters, kubeconfig, outsideKubeconfig, relays, parts, processes }, () => [
    `sandbox ${name} is running: ${clusters.map((cluster) => cluster.name).join(', ')}`,
    ...processes.filter(({ state, restarts }) => state !== 'running' || restarts > 0).map((process) =>
      `  ${process.name} is ${process.state} after ${String(process.restarts)} restarts${process.detail === undefined ? '' : `: ${process.detail}`} (${process.log})`),
    'From this machine:',
    ...Object.entries(relays).sort().map(([what, address]) => `  ${what.padEnd(44)} ${address}`),
    'Parts:',
    ...Object.entries(parts).sort().map(([part, { kind, version }]) => `  ${part.padEnd(24)} ${kind.padEnd(10)} ${version}`),
    `kubectl: export KUBECONFIG=${shellWord(outsideKubeconfig)}`,
  ].join('\n'));
}

async function logs(session: Session, { name, lines }: Flags, wanted: string | undefined): Promise<void> {
  const { dir } = await open(session, name);
  const directory = join(dir, 'logs');
  const known = existsSync(directory) ? (await readdir(directory)).filter((file) => file.endsWith('.log')).sort() : [];
  if (wanted === undefined) {
    const sizes = await Promise.all(known.map(async (file) => `${file.slice(0, -'.log'.length).padEnd(40)} ${String((await stat(join(directory, file))).size)} bytes`));
    session.answer(false, undefined, () => [...sizes, `in ${directory}; those of pods by kubectl logs`].join('\n'));
    return;
  }
  if (!known.includes(`${wanted}.log`)) {
    throw new UserError(`Sandbox ${name} has no log named ${wanted}.`, { exitCode: 2, remedy: `There are: ${known.map((file) => file.slice(0, -'.log'.length)).join(', ')}.` });
  }
  const text = await readFile(join(directory, `${wanted}.log`), 'utf8');
  session.answer(false, undefined, () => text.trimEnd().split('\n').slice(-lines).join('\n'));
}

async function shell(session: Session, { name }: Flags, argv: string[]): Promise<void> {
  // From here on a terminal's Ctrl-C is the shell's own affair.
  session.interactive = true;
  const sandbox = await open(session, name);
  const { pulumiBin, kubectl } = JSON.parse(await readFile(join(sandbox.dir, 'tools.json'), 'utf8')) as Pick<ToolPaths, 'pulumiBin' | 'kubectl'>;
  const path = [dirname(process.execPath), pulumiBin, ...await sandbox.plugins(), dirname(kubectl), process.env['PATH'] ?? ''].join(delimiter);
  const child = inside(sandbox)(argv.length > 0 ? argv : [process.env['SHELL'] ?? '/bin/sh'], {
    stdio: 'inherit', env: { PATH: path, KUBECONFIG: sandbox.kubeconfig }, detached: false,
  });
  session.signal.addEventListener('abort', () => { child.kill('SIGHUP'); });
  session.exitCode = await new Promise((resolvePromise, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => { resolvePromise(code ?? 128 + (signal === null ? 0 : constants.signals[signal])); });
  });
}
