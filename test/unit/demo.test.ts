import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demo } from '../../automation/demo.ts';
import type { DemoOptions } from '../../automation/demo.ts';
import { plainProgress } from '../../automation/progress.ts';
import type { WorkerRequest } from '../../automation/runWorker.ts';
import { UserError } from '../../errors.ts';
import { fakeModules } from '../fixtures/fake-sandbox.ts';
import { report } from '../fixtures/report.ts';

describe('the demo', () => {
  let directory: string;
  let happened: string[];
  let written: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-unit-'));
    happened = [];
    written = '';
  });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  /** Runs it on fakes; `breaks` is the step that fails. */
  const run = async (more: Partial<DemoOptions> = {}, breaks = '', error: Error = new UserError('broken')) => {
    const step = (name: string): Promise<void> => {
      happened.push(name);
      return name === breaks ? Promise.reject(error) : Promise.resolve();
    };
    const modules = fakeModules({ wait: step, say: (text) => { happened.push(text); }, dir: join(directory, 'sandbox') });
    const progress = plainProgress({ write: (text) => { written += text; } });
    try {
      return await demo({
        seconds: 20, rate: 100, keep: false, reportDir: join(directory, 'report'), stateDir: directory, signal: new AbortController().signal, progress,
        work: async (request: WorkerRequest) => {
          await step(request.operation);
          if (request.operation === 'drill') return { report: report('fail'), exitCode: 3 };
          return { changes: {}, outputs: { hostname: 'kafka.example', url: 'http://kafka.example', tier1Address: '10.212.0.1' } };
        },
        ...more,
      }, modules);
    } finally {
      progress.close();
    }
  };

  it('goes from leftovers to a stopped sandbox, and answers with the drill\'s verdict', async () => {
    const { exitCode } = await run();
    assert.equal(exitCode, 3);
    assert.deepEqual(happened, ['leftovers', 'tools', 'sandbox', 'started', 'up', 'drill', 'destroy', 'stopped']);
  });

  it('prints a curl that works from outside, the verdict and where the report lies', async () => {
    await run();
    assert.match(written, /curl -H 'Host: kafka\.example' http:\/\/127\.0\.0\.1:4711\/topics/);
    assert.match(written, /bridge-scale-0 of east .*: FAIL/);
    assert.ok(written.includes(join(directory, 'report', 'report.html')));
  });

  it('that is to keep the sandbox detaches it, destroys nothing and says how to stop it', async () => {
    await run({ keep: true, stateDir: join(directory, 'my state') });
    assert.deepEqual(happened.slice(-2), ['drill', 'detached']);
    assert.match(written, /npx kbf --state-dir '\S+\/my state' sandbox down --name demo-\d+/);
  });

  for (const [step, rest] of Object.entries({
    leftovers: [], tools: [], sandbox: [], up: ['stopped'], drill: ['stopped'], destroy: ['stopped'],
  })) {
    it(`whose step "${step}" fails leaves nothing running, kept or not`, async () => {
      for (const keep of step === 'destroy' ? [false] : [false, true]) {
        happened = [];
        await assert.rejects(run({ keep }, step), /broken/);
        assert.deepEqual(happened.slice(happened.indexOf(step) + 1).filter((what) => what !== 'started'), rest);
      }
    });
  }

  it('that fails keeps the sandbox\'s logs beside the report, and nothing else of it', async () => {
    await mkdir(join(directory, 'sandbox', 'logs'), { recursive: true });
    await mkdir(join(directory, 'sandbox', 'pods', 'a'), { recursive: true });
    await writeFile(join(directory, 'sandbox', 'logs', 'etcd.log'), 'cause');
    await writeFile(join(directory, 'sandbox', 'pods', 'a', 'bridge.log'), 'cause');
    await writeFile(join(directory, 'sandbox', 'pods', 'a', 'token'), 'secret');
    await assert.rejects(run({}, 'up'));
    const logs = join(directory, 'report', 'logs');
    assert.equal(await readFile(join(logs, 'logs', 'etcd.log'), 'utf8'), 'cause');
    assert.equal(await readFile(join(logs, 'pods', 'a', 'bridge.log'), 'utf8'), 'cause');
    assert.equal(existsSync(join(logs, 'pods', 'a', 'token')), false);
    assert.ok(written.includes(logs));
  });

  it('refuses a state directory that no sandbox can have before any tool is built', async () => {
    await assert.rejects(run({ stateDir: '/run/kbf' }), { exitCode: 2 });
    assert.deepEqual(happened, ['leftovers']);
  });

  it('refuses a directory that already holds a report before anything is started', async () => {
    await mkdir(join(directory, 'report'));
    await writeFile(join(directory, 'report', 'report.json'), '{}');
    await assert.rejects(run(), { exitCode: 2 });
    assert.deepEqual(happened, []);
  });
});
