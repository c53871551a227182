import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Writes down who has a stack's Lease and keeps its journal in this state directory: of a Lease that was left it tells later whether that is the journal here. A host's
 * name does not, as several runners may have one. Where it cannot be written, the Lease is taken for one of elsewhere.
 */
export async function noteHolder(stateDir: string, holder: string): Promise<void> {
  await mkdir(stateDir, { recursive: true }).then(() => writeFile(fileOf(stateDir), holder)).catch(() => undefined);
}

export async function forgetHolder(stateDir: string): Promise<void> {
  await rm(fileOf(stateDir), { force: true });
}

export async function isNoted(stateDir: string, holder: string): Promise<boolean> {
  return await readFile(fileOf(stateDir), 'utf8').catch(() => '') === holder;
}

function fileOf(stateDir: string): string {
  return path.join(stateDir, 'lease-holder');
}
