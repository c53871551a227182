import { join } from 'node:path';
import { run } from './command.ts';
import { withLock } from './lock.ts';
import type { Work } from './tool.ts';

/**
 * Copies the jars that maven/<project>/pom.xml names, with what they need, to `directory`. Checksums that do not match end it.
 * @param properties of the project, over its own
 */
export async function jars(project: string, directory: string, work: Work, properties: Readonly<Record<string, string>> = {}): Promise<void> {
  // Maven's local repository is not made for two writers.
  await withLock(join(work.cacheDir, '.maven.lock'), { signal: work.signal }, async () => {
    await run('mvn', [
      '--batch-mode', '--quiet', '--strict-checksums', '--file', join(import.meta.dirname, 'maven', project, 'pom.xml'),
      'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${directory}`,
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    ], { signal: work.signal });
  });
}
