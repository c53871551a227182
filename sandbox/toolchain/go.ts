import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, SourceError } from './command.ts';
import { variableOf } from './install.ts';
import { withLock } from './lock.ts';
import type { Asking, Work } from './tool.ts';

/** The Go modules that pin what is compiled, each with its go.sum. */
const modules = join(import.meta.dirname, 'go');

export interface GoBuild {
  /** Directory under go/. */
  module: string;
  /** Import paths, or '.' for the module's own main package, and the file each becomes under the home. */
  packages: Record<string, string>;
  /** -X settings: the makers' own builds give version numbers to the linker. */
  variables?: Record<string, string>;
  /** Files to compile as if they lay in the module's directory; the values are their real paths. */
  overlay?: Record<string, string>;
}

/** Compiles commands. One module at a time on the whole machine, as each build alone keeps all its cores busy. */
export async function goBuild(build: GoBuild, work: Work): Promise<void> {
  const go = await goCommand(work);
  const cwd = join(modules, build.module);
  // -dwarf=false: the linker leaves debugging information out (-s -w), so it need not be made.
  const flags = ['-gcflags', 'all=-dwarf=false', '-ldflags', linkerFlags(build.variables), ...await overlayFlags(build, cwd, work)];
  const onWait = (): void => { work.report('another Go build is running'); };
  await withLock(join(work.cacheDir, '.go-build.lock'), { signal: work.signal, onWait }, async () => {
    for (const [path, file] of Object.entries(build.packages)) {
      work.report(`compiling ${file}`);
      await run(go, ['build', ...flags, '-o', join(work.home, file), path], {
        signal: work.signal, cwd, env: { ...goEnvironment, GOTMPDIR: work.scratch }, onLine: work.report,
      });
    }
  });
}

/** Downloads a module that go.sum of the directory `module` pins, and returns where its files lie (read-only). */
export async function goModule(module: string, path: string, work: Work): Promise<string> {
  const go = await goCommand(work);
  const options = { signal: work.signal, cwd: join(modules, module), env: goEnvironment };
  await run(go, ['mod', 'download', path], options);
  return (await run(go, ['list', '-m', '-f', '{{.Dir}}', path], options)).trim();
}

/** Nothing of the user's settings may change what is built, and no other toolchain is fetched on the way. */
const goEnvironment = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOWORK: 'off' };

/**
 * The minor release of Go that all modules here are known to compile with. Older ones their `go` lines refuse; with 1.27
 * the golang.org/x/net that they pin lacks names that their gRPC needs.
 */
const goMinor = '1.26';

/** The machine's own Go where it is that release, else the one of the table. */
async function goCommand(work: Asking): Promise<string> {
  const own = process.env[variableOf('go')] ? undefined : await goVersion('go', work).catch(() => {
    work.signal?.throwIfAborted();
    return undefined;
  });
  return own?.startsWith(`${goMinor}.`) ? 'go' : join(await work.homeOf('go'), 'bin/go');
}

/** E.g. "1.26.8". */
export async function goVersion(command: string, asking: Asking): Promise<string> {
  const answer = await run(command, ['env', 'GOVERSION'], { signal: asking.signal, env: goEnvironment });
  const [, version] = /^go(\S+)/.exec(answer) ?? [];
  if (!version) throw new SourceError(`${command} env GOVERSION answered ${answer}`);
  return version;
}

function linkerFlags(variables: Record<string, string> = {}): string {
  // -s -w: without symbol tables, which nobody debugs here, the binaries are a third smaller.
  return ['-s', '-w', ...Object.entries(variables).flatMap(([name, value]) => ['-X', `${name}=${value}`])].join(' ');
}

async function overlayFlags(build: GoBuild, directory: string, work: Work): Promise<string[]> {
  if (!build.overlay) return [];
  const file = join(work.scratch, 'overlay.json');
  const replace = Object.fromEntries(Object.entries(build.overlay).map(([name, real]) => [join(directory, name), real]));
  await writeFile(file, JSON.stringify({ Replace: replace }));
  return ['-overlay', file];
}
