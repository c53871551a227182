import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { planOf } from '../../automation/drill/options.ts';
import { wrongSteps } from '../../automation/drill/step-values.ts';
import { readPlan } from '../../automation/drill/plan-file.ts';
import { Window } from '../../automation/drill/window.ts';
import type { Span } from '../../automation/drill/metrics.ts';
import type { Attempt } from '../../automation/drill/records.ts';

const region = (name: string): object => ({ name, context: name, namespace: 'n', bridge: 'b', gatewayAddress: '10.0.0.1' });
const outputs = { hostname: 'h', tier1Address: '10.0.0.9', kafka: { bootstrapServers: 'b:9094' }, regions: [region('east'), region('west')] };
const options = { outputs, environment: 'dev', kubeconfig: '/nowhere', stateDir: '/nowhere', reportDir: '/nowhere' };

describe('a plan file', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'kbf-plan-'));
    file = path.join(directory, 'plan.yaml');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('becomes the steps of the plan, on the first region where it names none', async () => {
    await writeFile(file, '- do: { fault: bridge-kill }\n- expect: produce.failed<=4\n- wait: 300ms\n- do: { fault: bridge-hang, region: west, for: 8s }\n');
    const { plan } = planOf({ ...options, steps: readPlan(file) });
    assert.deepEqual(plan.steps, [
      { kind: 'do', fault: 'bridge-kill', region: 'east' }, { kind: 'expect', objective: 'produce.failed<=4' }, { kind: 'wait', seconds: 0.3 },
      { kind: 'do', fault: 'bridge-hang', forSeconds: 8, region: 'west' },
    ]);
    assert.deepEqual([plan.fault, plan.region], ['bridge-kill', 'east']);
  });

  it('is on the first region that tier1 gives anything, and needs to know that', () => {
    const planned = (tier1: object): string => planOf({ ...options, outputs: { ...outputs, tier1: { context: 'c', namespace: 'edge', gateway: 't', mode: 'weighted', ...tier1 } } }).plan.region;
    assert.deepEqual([planned({ weights: { east: 0, west: 100 } }), planned({ weights: { east: 1, west: 99 } })], ['west', 'east']);
    assert.throws(() => planned({}), { exitCode: 2, message: 'the outputs do not say which share of the requests tier1 gives each region', remedy: 'deploy again with this version (kbf up)' });
  });

  it('is refused with all that is not a step, by its place', async () => {
    await writeFile(file, '- do: { fault: bridge-kill, for: soon }\n- sleep: 5s\n- wait: 5\n- do: { region: east, how: fast }\n');
    assert.throws(() => readPlan(file), (error: Error & { exitCode?: number }) => {
      assert.equal(error.exitCode, 2);
      for (const part of ['[0].do.for: must be a time like 5s', '[1] is {"sleep":"5s"}, must be one of do, wait and expect', '[2].wait:', '[3].do.fault:', '"how"']) assert.ok(error.message.includes(part), `${part}: ${error.message}`);
      return true;
    });
  });

  it('is refused with all that names nothing: faults, regions, figures, order', async () => {
    await writeFile(file, '- expect: produce.failed=0\n- do: { fault: flood }\n- do: { fault: bridge-kill, region: mars }\n- do: { fault: fail-back }\n- expect: log.ackedLost=0\n');
    assert.throws(() => planOf({ ...options, steps: readPlan(file) }), (error: Error & { exitCode?: number }) => {
      assert.equal(error.exitCode, 2);
      for (const part of ['steps[0]: it expects something of a fault, and none came before it', 'steps[1]: fault flood is unknown', 'steps[2]: region mars is none of east, west', 'steps[3]: fail-back begins before the load', 'steps[4]: log.ackedLost is known only when a drill is over']) assert.ok(error.message.includes(part), `${part}: ${error.message}`);
      return true;
    });
  });

  it('is refused before a stack is looked for, as far as it is wrong whatever the stack', async () => {
    await writeFile(file, '- do: { fault: bridge-kil, region: mars }\n- expect: produce.faild=0\n- wait: 5s\n');
    assert.deepEqual(wrongSteps(readPlan(file)).map((what) => what.slice(0, 78)), ['steps[0]: fault bridge-kil is unknown, did you mean bridge-kill; there is brid', 'steps[1]: the objective \'produce.faild=0\' cannot be used: there is no figure p']);
  });

  it('is refused with both at once: what cannot be read of it, and what its other steps name that there is not', async () => {
    await writeFile(file, '- do: { fault: bridge-kil, for: soon }\n- expect: produce.faild=0\n- sleep: 5s\n- expect: produce.blackoutMs<=5%\n- do: { fault: bridge-hagn }\n- wait: 5\n');
    assert.throws(() => readPlan(file), (error: Error & { exitCode?: number }) => {
      assert.equal(error.exitCode, 2);
      for (const part of ['[0].do.for: must be a time like 5s', 'steps[0]: fault bridge-kil is unknown, did you mean bridge-kill', 'steps[1]: the objective \'produce.faild=0\' cannot be used', '[2] is {"sleep":"5s"}', 'steps[3]: the objective \'produce.blackoutMs<=5%\' cannot be used', 'steps[4]: fault bridge-hagn is unknown', '[5].wait:']) assert.ok(error.message.includes(part), `${part}: ${error.message}`);
      return true;
    });
    // What cannot be read may be what breaks something.
    await writeFile(file, '- doo: { fault: bridge-kill }\n- expect: produce.failed=0\n');
    assert.throws(() => readPlan(file), (error: Error) => error.message.includes('[0] is') && !/breaks nothing|none came before/.test(error.message));
  });

  it('is refused when it is no list, breaks nothing, or is not there', async () => {
    await writeFile(file, 'do: bridge-kill\n');
    assert.throws(() => readPlan(file), { exitCode: 2 });
    assert.throws(() => planOf({ ...options, steps: [{ kind: 'wait', seconds: 1 }] }), { exitCode: 2, message: /the plan breaks nothing/ });
    assert.throws(() => readPlan(`${file}.none`), { exitCode: 2, message: /cannot be read: ENOENT/ });
  });
});

describe('what a step expects', () => {
  const attempt = (seq: number, endMs: number, outcome: Attempt['outcome'], again = 0): Attempt =>
    ({ producer: 'p0', seq, attempt: again, key: 'k', intendedMs: endMs - 5, issuedMs: endMs - 5, endMs, outcome, class: outcome });

  it('is measured over its own time, by record', () => {
    const attempts = [attempt(0, 50, 'failed'), attempt(1, 110, 'ok'), attempt(2, 120, 'failed'), attempt(2, 150, 'ok', 1), attempt(3, 160, 'unknown'), attempt(4, 250, 'failed')];
    const measure = (span: Span): ReturnType<Window['figures']> => {
      const window = new Window(span);
      for (const each of attempts) window.add(each);
      return window.figures();
    };
    const values = measure({ fromMs: 100, toMs: 200 });
    assert.deepEqual([values['produce.sent'], values['produce.attempts'], values['produce.ok'], values['produce.failed'], values['produce.unknown']], [3, 4, 2, 0, 1]);
    assert.equal(values['produce.blackoutMs'], 50);
    assert.equal(measure({ fromMs: 300, toMs: 400 })['produce.blackoutMs'], undefined);
  });
});
