import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import type { ToolSpec } from './tool.ts';

/** Lies in the home of every cached tool. */
const Receipt = z.object({
  version: z.string(),
  recipe: z.number(),
  origin: z.enum(['download', 'build']),
  /** Bytes of the files that the table names: a cheap check on every use that they are still whole. */
  filesBytes: z.number(),
  sizeBytes: z.number(),
});
type Receipt = z.infer<typeof Receipt>;

/**
 * Where tools are kept for all projects of this user: <cache>/<tool>/<version>/. A relative XDG_CACHE_HOME is ignored, as its specification says.
 * @throws UserError (2) where the home directory is relative, too
 */
export function cacheDirectory(): string {
  const caches = [process.env['XDG_CACHE_HOME'] ?? '', join(homedir(), '.cache')].find((path) => isAbsolute(path));
  if (caches !== undefined) return join(caches, 'kafka-bridge-failover');
  throw new UserError('There is no place for the toolchain cache: neither XDG_CACHE_HOME nor HOME is an absolute path.', { exitCode: 2, remedy: 'Let XDG_CACHE_HOME name a directory of your own.' });
}

export function cachedHome(cacheDir: string, spec: ToolSpec): string {
  return join(cacheDir, spec.name, spec.version);
}

/** The receipt of a cached tool, or undefined when it is not there as this version of the table would make it. */
export async function readCached(cacheDir: string, spec: ToolSpec): Promise<Receipt | undefined> {
  const home = cachedHome(cacheDir, spec);
  try {
    const receipt = Receipt.parse(JSON.parse(await readFile(join(home, 'tool.json'), 'utf8')));
    const whole = receipt.recipe === spec.recipe && receipt.filesBytes === await filesSize(home, spec);
    return whole ? receipt : undefined;
  } catch {
    return undefined; // Missing or broken: either way it has to be made anew.
  }
}

/**
 * Puts a finished tool into the cache in one step: nobody ever sees half of it.
 * A broken or outdated one in its place goes to `discard` first, which the caller removes.
 */
export async function commit(
  cacheDir: string, spec: ToolSpec, made: { home: string; version: string; origin: 'download' | 'build'; discard: string },
): Promise<void> {
  const receipt: Receipt = {
    version: made.version,
    recipe: spec.recipe,
    origin: made.origin,
    filesBytes: await filesSize(made.home, spec),
    sizeBytes: await sizeOf(made.home),
  };
  await writeFile(join(made.home, 'tool.json'), `${JSON.stringify(receipt, undefined, 2)}\n`);
  const home = cachedHome(cacheDir, spec);
  await rename(home, made.discard).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error; });
  await rename(made.home, home);
}

/** Bytes of what the table says must exist; throws ENOENT for the first that does not. */
export async function filesSize(home: string, spec: ToolSpec): Promise<number> {
  let bytes = 0;
  for (const file of spec.files) bytes += await sizeOf(join(home, file));
  return bytes;
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
