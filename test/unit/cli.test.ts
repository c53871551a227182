import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineProgress } from '../../automation/engineEvents.ts';
import { main } from '../../automation/kbf.ts';
import { showDrill, showEngine, showTools } from '../../automation/live.ts';
import { duration, plainProgress } from '../../automation/progress.ts';
import type { WorkerRequest } from '../../automation/runWorker.ts';
import { UserError } from '../../errors.ts';
import { fakeModules } from '../fixtures/fake-sandbox.ts';
import { report } from '../fixtures/report.ts';
import { Sink } from '../fixtures/sink.ts';

let state: string;
beforeEach(async () => { state = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
afterEach(async () => { await rm(state, { recursive: true, force: true }); });

/** Runs one command line on fakes; the sandbox `dev` is there. */
async function kbf(line: string | string[], work?: (request: WorkerRequest, onEvent?: (event: EngineProgress) => void) => unknown): Promise<{ code: number; stdout: string; stderr: string; requests: WorkerRequest[] }> {
  const [stdout, stderr, requests] = [new Sink(), new Sink(), [] as WorkerRequest[]];
  const argv = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
  const code = await main([...argv, '--state-dir', state], {
    stdout, stderr, modules: () => Promise.resolve(fakeModules({})),
    work: async (request, { onEvent } = {}) => {
      requests.push(request);
      return await Promise.resolve(work === undefined ? { changes: { create: 2 }, outputs: {} } : work(request, onEvent));
    },
  });
  return { code, stdout: stdout.text, stderr: stderr.text, requests };
}

describe('a stack of which plain pulumi may have a state elsewhere', () => {
  const variables = ['PULUMI_CREDENTIALS_PATH', 'PULUMI_CONFIG_PASSPHRASE', 'PULUMI_CONFIG_PASSPHRASE_FILE', 'PULUMI_BACKEND_URL'];
  let before: (string | undefined)[];
  beforeEach(async () => {
    before = variables.map((name) => process.env[name]);
    for (const name of variables) Reflect.deleteProperty(process.env, name);
    process.env['PULUMI_CREDENTIALS_PATH'] = state;
    await writeFile(join(state, 'credentials.json'), '{"current":"https://api.pulumi.com"}');
  });
  afterEach(() => {
    variables.forEach((name, index) => {
      if (before[index] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[index];
    });
  });
  const config = `--config ${new URL('../../examples/gke/Pulumi.gke.yaml', import.meta.url).pathname}`;

  for (const line of ['outputs', 'refresh', 'destroy --yes', 'drill']) {
    it(`is refused by ${line} before anything is asked`, async () => {
      const { code, stderr, requests } = await kbf(`${line} ${config}`);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /Stack gke has no state in/);
      assert.deepEqual(requests, []);
    });
  }

  it('is looked at by doctor all the same, and a sandbox is its own affair', async () => {
    const { requests } = await kbf(`doctor ${config}`, () => []);
    assert.deepEqual(requests.map(({ operation }) => operation), ['doctor']);
    assert.equal((await kbf('outputs')).code, 0);
  });
});

describe('wrong use of kbf', () => {
  for (const [line, says] of [
    ['dmo', /unknown command 'dmo'\n\(Did you mean demo\?\)/],
    ['sandbox sttus', /unknown command 'sttus'\n\(Did you mean status\?\)/],
    ['toolchain instal', /too many arguments|Did you mean install/],
    ['demo --secnds 3', /unknown option '--secnds'\n\(Did you mean --seconds\?\)/],
    ['demo --seconds 2', /'2' is invalid.*6s or more/],
    ['demo --seconds soon', /'soon' is invalid/],
    ['demo --rate 0', /whole number, 1 or more/],
    ['demo --rate 1.5', /whole number/],
    ['demo extra', /too many arguments/],
    ['demo --report', /argument missing/],
    ['sandbox up --regions 1', /whole number, 2 or more/],
    ['sandbox up --name ../x', /1 to 20 of the characters/],
    ['sandbox up --regions 3', /is running with 2 regions, not 3/],
    ['sandbox up --name other --regions 50', /a sandbox cannot have 50 regions[^]*1 to 43/],
    ['sandbox status --name other', /No sandbox named other is running[^]*kbf sandbox up --name other/],
    ['sandbox logs nonsense', /has no log named nonsense/],
    ['drill --fault fire', /Allowed choices are bridge-scale-0, bridge-terminate/],
    ['drill --fault bridge-kill --plan x.yaml', /--plan and --fault both say what to break/],
    ['drill --plan /nonexistent.yaml', /the plan \/nonexistent\.yaml cannot be read/],
    ['drill --abort-after-errors 120%', /share from 0 to 1/],
    ['drill --sandbox nosuch --objective produce.blackoutM<=100 --rate 30000', /there is no figure produce\.blackoutM\. Did you mean produce\.blackoutMs\?[^]*; rate is 30000, must be 1 to 20000 records a second/],
    ['drill --sandbox nosuch --objective regions.mars.during>=1 --region mars', /No sandbox named nosuch is running/],
    ['drill --self-test --rate 5 --report x', /--self-test runs no drill, so that --rate, --report would be ignored/],
    ['drill --retry often', /Allowed choices are none, safe, always/],
    ['up --stack a --sandbox b', /--stack and --sandbox name different things/],
    ['up --sandbox other', /No sandbox named other is running/],
    ['up --stack nowhere', /There is no stack nowhere/],
    ['up --config /nonexistent/Pulumi.x.yaml', /There is no file \/nonexistent\/Pulumi\.x\.yaml/],
    ['up --config /nonexistent/x.yaml', /does not say which stack/],
  ] as [string, RegExp][]) {
    it(`"${line}" is answered with 2 and a hint`, async () => {
      const { code, stdout, stderr } = await kbf(line);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
      assert.equal(stdout, '');
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  }

  it('without a command shows the commands and answers 2', async () => {
    const { code, stderr } = await kbf('');
    assert.equal(code, 2);
    assert.match(stderr, /Commands:/);
  });
});

describe('kbf', () => {
  it('answers --help and --version with 0', async () => {
    for (const flag of ['--help', '--version', 'help demo']) assert.equal((await kbf(flag)).code, 0);
  });

  it('works on the sandbox dev unless told otherwise, with state that belongs to it', async () => {
    const { code, stdout, requests } = await kbf('up');
    assert.equal(code, 0);
    assert.match(stdout, /up of sandbox dev: 2 create/);
    const [request] = requests;
    assert.ok(request?.operation === 'up');
    assert.deepEqual(request.environment, {
      stack: 'dev', stateDir: '/nowhere/pulumi', passphraseFile: '/nowhere/pulumi/passphrase', kubeconfig: '/nowhere/kubeconfig',
      pulumiBin: '/t/bin', plugins: ['/t/plugins'], ownBackend: true, settings: { checks: true },
    });
  });

  for (const line of ['up --json', 'preview --json', 'destroy --json', 'outputs --json', 'sandbox status --json', 'sandbox up --json', 'sandbox kubeconfig --json', 'toolchain list --json', 'toolchain --json']) {
    it(`"${line}" writes one JSON document on standard output`, async () => {
      const { code, stdout, stderr } = await kbf(line);
      assert.equal(code, 0, stderr);
      assert.equal(typeof JSON.parse(stdout), 'object');
    });
  }

  const changing = { changes: { same: 9, read: 1, update: 2, create: 1 } };
  it('counts what a preview would change, with the providers, and says by its exit code that nothing was to', async () => {
    const work = (result: object) => async (_: WorkerRequest, onEvent?: (event: EngineProgress) => void): Promise<object> => {
      onEvent?.({ kind: 'provider', of: 'kubernetes', name: 'east', op: 'update' });
      onEvent?.({ kind: 'provider', of: 'kubernetes', name: 'west', op: 'same' });
      return await Promise.resolve(result);
    };
    const expecting = await kbf('preview --expect-no-changes', work(changing));
    assert.equal(expecting.code, 5);
    assert.equal(expecting.stderr, 'kbf: no changes were expected of sandbox dev, and `up` would make some: 2 update, 1 create\n');
    assert.equal(expecting.stdout, 'update     kubernetes provider east\npreview of sandbox dev: 9 same, 1 read, 2 update, 1 create\n');
    const without = await kbf('preview --json', work(changing));
    assert.equal(without.code, 0);
    const json = await kbf('preview --json --expect-no-changes', work(changing));
    assert.equal(json.code, 5);
    assert.equal(json.stdout, without.stdout);
    const same = await kbf('preview --expect-no-changes', work({ changes: { same: 9, read: 1 } }));
    assert.deepEqual([same.code, same.stderr], [0, '']);
  });

  describe('with an empty journal', () => {
    const heal = (lease: unknown, line = 'faults heal'): ReturnType<typeof kbf> => kbf(line, ({ operation }) => {
      if (operation === 'lease' && lease instanceof Error) throw lease;
      return { heal: [], outputs: { hostname: 'h' }, lease }[operation as 'heal'] ?? undefined;
    });
    const lease = { context: 'central', namespace: 'edge', holder: 'run-1 on runner-7, process 12', at: '2026-01-02T03:04:05.000Z' };

    it('asks for the Lease by what the stack has exported, and is done where there is none', async () => {
      const { code, stdout, stderr, requests } = await heal(undefined);
      assert.deepEqual([code, stdout, stderr], [0, 'nothing to heal\n', '']);
      assert.deepEqual(requests.at(-1), { operation: 'lease', drill: { outputs: { hostname: 'h' }, environment: 'sandbox dev', stateDir: '/nowhere/drill', kubeconfig: '/nowhere/kubeconfig' } });
    });

    for (const line of ['faults heal', 'faults heal --json']) {
      it(`"${line}" names a driver that died elsewhere, with what to look for, and fails`, async () => {
        const { code, stdout, stderr } = await heal({ ...lease, goesOn: false }, line);
        assert.equal(code, 1);
        assert.equal(stdout, line.endsWith('--json') ? '[]\n' : 'nothing to heal by the journal here\n');
        assert.match(stderr, /^kbf: a driver that was killed left the Lease edge\/kbf-drill in cluster central: run-1 on runner-7, process 12, which renewed it last at 2026-01-02T03:04:05\.000Z\. What it did is in the journal of its own state directory/);
        assert.match(stderr, /0 replicas[^]*managed-by=kbf-drill[^]*kubectl --context central --namespace edge delete lease kbf-drill\n$/);
      });
    }

    it('says that a drill goes on', async () => {
      const { code, stderr } = await heal({ ...lease, goesOn: true });
      assert.deepEqual([code, stderr], [0, 'A drill is running on this stack: run-1 on runner-7, process 12.\n']);
    });

    it('says why the Lease could not be looked at, and is done', async () => {
      const { code, stdout, stderr } = await heal(new UserError('cluster central does not answer'));
      assert.deepEqual([code, stdout], [0, 'nothing to heal\n']);
      assert.equal(stderr, 'Whether a drill that was driven elsewhere has left something could not be looked at: cluster central does not answer\n');
    });
  });

  for (const [verdict, exitCode] of [['pass', 0], ['fail', 3], ['inconclusive', 4]] as const) {
    it(`answers a drill that ends as "${verdict}" with ${String(exitCode)}`, async () => {
      const { code, stdout, requests } = await kbf('drill --region east --duration 1m --json', ({ operation }) => (operation === 'drill' ? { report: report(verdict), exitCode } : { hostname: 'h' }));
      assert.equal(code, exitCode);
      assert.equal((JSON.parse(stdout) as { verdict: string }).verdict, verdict);
      const drill = requests[1];
      assert.ok(drill?.operation === 'drill');
      assert.deepEqual(drill.drill.outputs, { hostname: 'h' });
      assert.equal(drill.drill.region, 'east');
      assert.equal(drill.drill.durationSeconds, 60);
      assert.deepEqual(drill.drill.parts, { kafka: { kind: 'real', version: '4.3.1' } });
    });
  }

  it('prints what a person can act on without a stack', async () => {
    const { code, stderr } = await kbf('up', () => { throw new UserError('KafkaBridge east: timed out', { remedy: 'Look at its events.' }); });
    assert.equal(code, 1);
    assert.equal(stderr, 'kbf: KafkaBridge east: timed out\nLook at its events.\n');
  });

  it('shows a stack with --debug only', async () => {
    const broken = (): never => { throw new TypeError('x is not a function'); };
    assert.doesNotMatch((await kbf('up', broken)).stderr, /\n\s+at /);
    const { code, stderr } = await kbf('up --debug', broken);
    assert.equal(code, 1);
    assert.match(stderr, /TypeError: x is not a function\n\s+at /);
  });

  it('says how much of a log there is, and nothing about other files', async () => {
    assert.equal((await kbf('sandbox logs')).code, 0);
  });
});

describe('kbf, interrupted', () => {
  const interrupting = (result: unknown) => () => {
    process.emit('SIGHUP', 'SIGHUP');
    return result;
  };

  for (const [line, result] of Object.entries({ 'outputs --json': {}, 'doctor --json': [], 'render --out x --json': { files: [], others: [] } })) {
    it(`while "${line}" reads answers 130 and nothing else`, async () => {
      const folder = join(state, 'rendered');
      const { code, stdout } = await kbf(line.replace(' x', ` ${folder}`), interrupting(result));
      assert.equal(code, 130);
      assert.equal(stdout, '');
      assert.equal(existsSync(folder), false);
    });
  }

  it('while it heals says what it healed, and answers 130', async () => {
    const { code, stdout } = await kbf('faults heal', interrupting([]));
    assert.equal(code, 130);
    assert.equal(stdout, 'nothing to heal\n');
  });
});

describe('progress elsewhere than on a terminal', () => {
  let lines: string[];
  const open = (intervalMs?: number) => {
    lines = [];
    return plainProgress({ write: (text) => { lines.push(text.trimEnd()); } }, intervalMs);
  };

  it('writes a live line once, and its end', () => {
    const progress = open();
    progress.update('a', () => 'a begins');
    progress.update('a', () => 'a goes on');
    progress.done('a', 'a ends');
    progress.close();
    assert.deepEqual(lines, ['a begins', 'a ends']);
  });

  it('says after a while what it still waits for', async () => {
    const progress = open(20);
    let n = 0;
    progress.update('a', () => `a ${String(n++)}`);
    for (let tries = 0; lines.length < 3 && tries < 100; tries += 1) await sleep(20);
    progress.close();
    assert.deepEqual(lines.slice(0, 3), ['a 0', 'a 1', 'a 2']);
  });

  it('names tools that are fetched or built, with an estimate, and no others', () => {
    const progress = open();
    const show = showTools(progress);
    show({ tool: 'java', phase: 'resolving', elapsedMs: 1 });
    show({ tool: 'java', phase: 'ready', elapsedMs: 2 });
    show({ tool: 'etcd', phase: 'building', elapsedMs: 0, estimateMs: 90_000 });
    show({ tool: 'etcd', phase: 'ready', elapsedMs: 61_000 });
    show({ tool: 'kafka-bridge', phase: 'unavailable', elapsedMs: 5, detail: 'kafka-bridge 1.1.0 could not be had' });
    progress.close();
    assert.match(lines[0] ?? '', /^etcd +building 0\.0 s of about 1 min 30 s$/);
    assert.match(lines[1] ?? '', /^etcd +ready in 1 min 1 s$/);
    assert.equal(lines[2], 'kafka-bridge 1.1.0 could not be had');
    assert.equal(lines.length, 3);
  });

  it('counts resources by component and names the one that is waited for', () => {
    const progress = open();
    const engine = showEngine(progress);
    const step = (name: string, stateOf: 'started' | 'done' | 'failed'): EngineProgress => ({
      kind: 'resource', urn: name, type: 'KafkaBridge', name, component: 'KafkaBridgeRegion east', op: 'create', state: stateOf,
    });
    engine.onEvent(step('a', 'started'));
    engine.onEvent(step('b', 'started'));
    engine.onEvent(step('a', 'done'));
    engine.onEvent({ kind: 'message', severity: 'warning', resource: 'KafkaBridge b', text: 'slow' });
    engine.onEvent(step('b', 'failed'));
    engine.finish();
    progress.close();
    assert.match(lines[0] ?? '', /^KafkaBridgeRegion east +0 done, 0\.0 s, waiting 0\.0 s for KafkaBridge a$/);
    assert.deepEqual(lines.slice(1), ['warning: KafkaBridge b: slow', `${'KafkaBridgeRegion east'.padEnd(30)} 1 done, 1 failed, 0.0 s`]);
  });

  it('shows a drill\'s phases and its counts', () => {
    const progress = open();
    const show = showDrill(progress);
    show({ kind: 'phase', t: 1000, phase: 'fault', detail: 'bridge east to 0' });
    show({ kind: 'live', t: 1500, phase: 'fault', rate: 100, ok: 140, failed: 1, unknown: 0, byRegion: { east: 0.25, west: 0.75 } });
    progress.close();
    assert.deepEqual(lines, ['   1.0 s  fault: bridge east to 0', '   1.5 s  100 records/s, ok 140, failed 1, unknown 0; east 25 %, west 75 %']);
  });

  it('gives durations in the unit that fits', () => {
    assert.deepEqual([40, 4_200, 59_400, 125_000].map(duration), ['0.0 s', '4.2 s', '59 s', '2 min 5 s']);
  });
});
