/**
 * `npm test`: type check, linter, unit and browser tests first, which fail fast; then the toolchain is ensured and
 * the integration tests run on real parts. The last line says `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import Mocha from 'mocha';

interface Count { passed: number; failed: number }

const root = new URL('..', import.meta.url).pathname;
const total: Count = { passed: 0, failed: 0 };

const stages: [string, () => Promise<Count>][] = [
  ['type check', () => command('node_modules/.bin/tsc', [])],
  ['type check of what runs in a browser', () => command('node_modules/.bin/tsc', ['--project', 'test/browser'])],
  ['linter', () => command('node_modules/.bin/eslint', ['.'])],
  ['unit tests', () => mocha('test/unit/**/*.test.ts', 20_000)],
  ['browser tests', () => mocha('test/browser/**/*.test.ts', 60_000)],
  ['toolchain', () => command(process.execPath, ['automation/kbf.mjs', 'toolchain', 'install'])],
  ['integration tests', () => mocha('test/integration/**/*.test.ts', 300_000)],
];

for (const [name, run] of stages) {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const count = await run();
  total.passed += count.passed;
  total.failed += count.failed;
  console.log(`== ${name}: ${count.passed} passed, ${count.failed} failed, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  if (count.failed > 0) break;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 ? 1 : 0);

/** One check that passes when the command exits with 0. */
function command(file: string, args: string[]): Promise<Count> {
  const { status } = spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return Promise.resolve(status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
}

/** A test that was skipped counts as failed: nothing here may be left out silently. */
async function mocha(pattern: string, timeoutMs: number): Promise<Count> {
  const runner = new Mocha({ timeout: timeoutMs, reporter: 'spec', forbidOnly: true, forbidPending: true });
  const files = globSync(pattern, { cwd: root }).sort();
  if (files.length === 0) throw new Error(`no test matches ${pattern}`);
  for (const file of files) runner.addFile(root + file);
  await runner.loadFilesAsync();
  return await new Promise((resolve) => {
    const run = runner.run(() => { resolve({ passed: run.stats?.passes ?? 0, failed: run.stats?.failures ?? 0 }); });
  });
}
