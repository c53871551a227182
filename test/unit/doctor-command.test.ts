import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import type { Finding } from '../../automation/doctor/finding.ts';
import { main } from '../../automation/kbf.ts';
import { runWorker, type WorkerRequest } from '../../automation/runWorker.ts';
import { fakeModules } from '../fixtures/fake-sandbox.ts';
import { Sink } from '../fixtures/sink.ts';
import { TwoClusters } from './doctor-fixtures.ts';

const finding = (change: Partial<Finding>): Finding => ({ check: 'rights', subject: 'east', verdict: 'ok', found: 'may do all', ...change });

describe('kbf doctor', function () {
  this.timeout(120_000);
  const two = new TwoClusters();
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-doctor-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  async function kbf(argv: readonly string[], work: (request: WorkerRequest) => Promise<unknown>): Promise<{ code: number; stdout: string; stderr: string }> {
    const [stdout, stderr] = [new Sink(), new Sink()];
    const code = await main(['doctor', '--state-dir', directory, ...argv], { stdout, stderr, modules: () => Promise.resolve(fakeModules({})), work: async (request, o) => (request.operation === 'doctor' && o?.start === undefined ? await runWorker(request, o) : await work(request)) });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  it('answers 1 when there is a fault, and 0 when there is none, with a line for each finding', async () => {
    const [good, bad] = [finding({}), finding({ verdict: 'fault', found: 'may not create kafkas', expected: 'all', remedy: 'Ask.\nNow.' })];
    const right = await kbf(['--sandbox', 'dev'], () => Promise.resolve([good, finding({ verdict: 'warning' })]));
    assert.equal(right.code, 0);
    assert.match(right.stdout, /\nsandbox dev: 1 ok, 1 warning, 0 faults, 0 not checked\n$/);
    const wrong = await kbf(['--sandbox', 'dev'], () => Promise.resolve([good, bad]));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /^fault +rights +east +may not create kafkas\. Expected: all\. Ask\. Now\.$/m);
  });

  it('puts one document on standard output', async () => {
    const { code, stdout } = await kbf(['--json', '--sandbox', 'dev'], () => Promise.resolve([finding({ verdict: 'unchecked' })]));
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), { target: 'sandbox dev', counts: { ok: 0, warning: 0, fault: 0, unchecked: 1 }, findings: [finding({ verdict: 'unchecked' })] });
  });

  it('looks at all of a stack and writes nothing, also where a cluster is dead', async () => {
    const at = (context: 'east' | 'west') => ({ context, kubeconfig: two[context].kubeconfig });
    const settings = {
      hostname: 'kafka.invalid', kafka: { ...at('east'), domain: 'kafka.invalid' }, regions: [{ name: 'east', ...at('east') }, { name: 'west', ...at('west') }],
      tsb: { ...at('east'), organization: 'tetrate', tenant: 'kafka' }, tier1: at('east'),
    };
    const file = join(directory, 'Pulumi.test.yaml');
    await writeFile(file, stringify({ config: Object.fromEntries(Object.entries(settings).map(([key, value]) => [`kafka-bridge-failover:${key}`, value])) }));
    await two.west.stop();
    const { code, stdout, stderr } = await kbf(['--config', file, '--json'], () => Promise.reject(new Error('not here')));
    assert.equal(code, 1, stderr);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const about = (subject: string): string[] => findings.filter((each) => each.subject === subject).map(({ check, verdict }) => `${check} ${verdict}`);
    assert.deepEqual(about('west').filter((each) => each !== 'injection unchecked'), ['kubeconfig ok', 'reachable fault', 'APIs unchecked', 'fields unchecked', 'definitions unchecked', 'rights unchecked', 'namespaces unchecked', 'Strimzi unchecked', 'TSB name unchecked', 'istiod unchecked'].filter((each) => about('west').includes(each)));
    assert.ok(about('east').includes('reachable ok') && about('east').includes('APIs fault'));
    assert.deepEqual(findings.filter(({ check }) => check === 'exposure').map(({ subject, verdict }) => `${subject} ${verdict}`), ['kafka.listeners[0] warning', 'tier1 warning']);
    assert.match(findings.find(({ check }) => check === 'settings')?.found ?? '', /are right, and make \d+ objects/);
    assert.ok(two.east.requests.every((request) => request.startsWith('GET ')), two.east.requests.join(', '));
    assert.doesNotMatch(JSON.stringify(findings), /\\n\s+at /);
    assert.deepEqual((await readdir(directory)).filter((name) => name !== 'Pulumi.test.yaml'), [], 'and nothing on this machine');
  });

  it('tells wrong settings as faults, each by itself', async () => {
    const file = join(directory, 'Pulumi.test.yaml');
    await writeFile(file, stringify({ config: { 'kafka-bridge-failover:hostname': 'a b' } }));
    const { code, stdout } = await kbf(['--config', file], () => Promise.reject(new Error('not here')));
    assert.equal(code, 1);
    assert.match(stdout, /^fault +settings +test +hostname: "a b"\. Expected: a lower-case host name/m);
    assert.match(stdout, /^unchecked +settings +test +nothing else is looked at/m);
  });
});
