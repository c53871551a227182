import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { mock } from 'node:test';
import type { V1Container } from '@kubernetes/client-node';
import { ContainerRunner, LaunchError } from '../../sandbox/agent/container.ts';
import type { ContainerHost, Launched } from '../../sandbox/agent/container.ts';
import type { Exit } from '../../sandbox/agent/container-process.ts';
import { PodEnd } from '../../sandbox/agent/pod-end.ts';
import { probeOnce } from '../../sandbox/agent/probes.ts';
import { after as later, longestDelayMs } from '../../sandbox/agent/timers.ts';
import type { ContainerStatus, Json } from '../../sandbox/agent/types.ts';

/** A pod whose processes are played: each run waits until the test ends it. */
class Stage {
  readonly events: string[] = [];
  readonly signals: string[] = [];
  readonly runs: number[] = [];
  /** Runs that were told that they are ready. */
  readonly readied: number[] = [];
  refusal: Error | undefined;
  onSignal: (name: string) => void = () => undefined;
  #exit: ((exit: Exit) => void) | undefined;
  #changes = new Set<() => void>();

  readonly host: ContainerHost;

  constructor(restartPolicy = 'Always') {
    this.host = {
      podIp: '127.0.0.1', restartPolicy, graceSeconds: 30,
      launch: (_, run) => this.#launch(run),
      event: (_, reason, message) => { this.events.push(`${reason}: ${message}`); },
      changed: () => { for (const change of this.#changes) change(); },
    };
  }

  exit(exitCode: number): void {
    this.#exit?.({ exitCode, finishedAt: new Date() });
  }

  /** Resolves when the runner's state is as told. */
  async until(runner: ContainerRunner, check: (view: ReturnType<ContainerRunner['view']>) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const change = () => { if (check(runner.view())) resolve(undefined); };
    this.#changes.add(change);
    change();
    await promise;
    this.#changes.delete(change);
  }

  #launch(run: number): Promise<Launched> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    this.runs.push(run);
    const { promise: exited, resolve } = Promise.withResolvers<Exit>();
    this.#exit = resolve;
    return Promise.resolve({
      process: { pid: 0, started: Promise.resolve(new Date()), exited, signal: (name) => { this.signals.push(name); this.onSignal(name); }, ready: () => { this.readied.push(run); } },
      env: {}, terminationMessage: () => Promise.resolve('last words'), cleanUp: () => Promise.resolve(),
    });
  }
}

const container = (more: Partial<Json<V1Container>> = {}): Json<V1Container> => ({ name: 'c', image: 'i', ...more });
const isRunning = (view: { state: { running?: unknown } }) => view.state.running !== undefined;

/** A container whose process runs, and the end of its run. */
async function running(): Promise<{ stage: Stage; runner: ContainerRunner; ran: Promise<unknown> }> {
  const stage = new Stage();
  const runner = new ContainerRunner(container(), 'app', stage.host);
  const ran = runner.run();
  await stage.until(runner, isRunning);
  return { stage, runner, ran };
}

describe('A container', () => {
  it('is ready when it runs and has no readiness probe', async () => {
    const stage = new Stage('Never');
    const runner = new ContainerRunner(container(), 'app', stage.host);
    const ran = runner.run();
    await stage.until(runner, ({ ready, started }) => ready && started);
    assert.deepEqual(stage.readied, [0]);
    stage.exit(0);
    await ran;
    const { state, ready } = runner.view();
    assert.deepEqual([state.terminated?.exitCode, state.terminated?.reason, state.terminated?.message, ready], [0, 'Completed', 'last words', false]);
  });

  it('is started again at once the first time, and after ten seconds the second time', async () => {
    const stage = new Stage();
    const runner = new ContainerRunner(container(), 'app', stage.host);
    const ran = runner.run();
    await stage.until(runner, isRunning);
    stage.exit(1);
    await stage.until(runner, (view) => isRunning(view) && view.restartCount === 1);
    assert.equal(runner.view().lastState.terminated?.exitCode, 1);
    stage.exit(2);
    await stage.until(runner, ({ state }) => state.waiting?.reason === 'CrashLoopBackOff');
    assert.match(runner.view().state.waiting?.message ?? '', /back-off 10s/);
    runner.stop(0);
    await ran;
    assert.deepEqual(stage.runs, [0, 1]);
  });

  it('is started again by its policy: OnFailure after a failure alone, Never not at all', async () => {
    for (const [policy, exitCode, runs] of [['OnFailure', 0, 1], ['OnFailure', 1, 2], ['Never', 1, 1]] as const) {
      const stage = new Stage(policy);
      const runner = new ContainerRunner(container(), 'app', stage.host);
      const ran = runner.run();
      await stage.until(runner, isRunning);
      stage.exit(exitCode);
      if (runs === 2) {
        await stage.until(runner, (view) => isRunning(view) && view.restartCount === 1);
        stage.exit(0);
      }
      await ran;
      assert.equal(stage.runs.length, runs, `${policy} ${exitCode}`);
    }
  });

  it('that is stopped gets SIGTERM, and SIGKILL when its grace is over', async () => {
    const { stage, runner, ran } = await running();
    stage.onSignal = (name) => { if (name === 'SIGKILL') stage.exit(137); };
    const begun = performance.now();
    runner.stop(60);
    runner.stop(0);
    await ran;
    assert.deepEqual(stage.signals, ['SIGTERM', 'SIGKILL']);
    const seconds = (performance.now() - begun) / 1000;
    assert.ok(seconds > 1.9 && seconds < 10, 'two seconds are the least, as with a kubelet');
    assert.equal(stage.events.filter((event) => event.startsWith('Killing')).length, 1);
  });

  it('that is to end does not get more time by being told again', async () => {
    const { stage, runner, ran } = await running();
    stage.onSignal = (name) => { if (name === 'SIGKILL') stage.exit(137); };
    runner.stop(2);
    await delay(200);
    // Ten minutes, if it did.
    runner.stop(600);
    await ran;
    assert.deepEqual(stage.signals, ['SIGTERM', 'SIGKILL']);
  });

  it('may have a grace of a month', async () => {
    const { stage, runner, ran } = await running();
    runner.stop(30 * 86_400);
    await delay(50);
    assert.deepEqual(stage.signals, ['SIGTERM']);
    stage.exit(0);
    await ran;
  });

  it('ends after a hook before its end, whatever is left of its grace, and where the hook cannot be called', async () => {
    for (const path of ['/', '/a?b c']) {
      const stage = new Stage();
      const runner = new ContainerRunner(container({ lifecycle: { preStop: { httpGet: { port: 1, path } } } }), 'app', stage.host);
      stage.onSignal = () => { stage.exit(143); };
      const ran = runner.run();
      await stage.until(runner, isRunning);
      runner.stop(29.98765);
      await ran;
      assert.deepEqual(stage.signals, ['SIGTERM'], path);
      assert.ok(stage.events.some((event) => event.startsWith('FailedPreStopHook')), stage.events.join('\n'));
    }
  });

  it('that cannot be started says why, with a kubelet\'s reason', async () => {
    const stage = new Stage();
    stage.refusal = new LaunchError('ErrImagePull', 'no such program');
    const runner = new ContainerRunner(container(), 'app', stage.host);
    const ran = runner.run();
    await stage.until(runner, ({ state }) => state.waiting?.reason === 'ErrImagePull');
    assert.deepEqual(stage.events, ['Failed: Error: no such program']);
    runner.stop(0);
    await ran;
  });

  it('does not get its whole share of the processors before its readiness probe has passed', async () => {
    const stage = new Stage('Never');
    let status = 503;
    await using server = createServer((_, response) => { response.writeHead(status).end(); }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const runner = new ContainerRunner(container({ readinessProbe: { httpGet: { port, path: '/' }, periodSeconds: 1 } }), 'app', stage.host);
    const ran = runner.run();
    await stage.until(runner, ({ started }) => started);
    await once(server, 'request');
    assert.deepEqual(stage.readied, []);
    status = 200;
    await stage.until(runner, ({ ready }) => ready);
    assert.deepEqual(stage.readied, [0]);
    stage.exit(0);
    await ran;
  });

  it('whose liveness probe fails is ended and started again', async () => {
    const stage = new Stage();
    const runner = new ContainerRunner(container({ livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 1 } }), 'app', stage.host);
    stage.onSignal = () => { stage.exit(143); };
    const ran = runner.run();
    await stage.until(runner, (view) => isRunning(view) && view.restartCount === 1);
    assert.ok(stage.events.some((event) => event.startsWith('Unhealthy: Liveness probe failed: dial tcp 127.0.0.1:1')), stage.events.join('\n'));
    assert.ok(stage.events.includes('Killing: Container c failed liveness probe, will be restarted'));
    runner.stop(0);
    await ran;
  });

  it('is not started before its startup probe has passed', async () => {
    const stage = new Stage();
    const runner = new ContainerRunner(container({ startupProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 2 } }), 'app', stage.host);
    stage.onSignal = () => { stage.exit(143); };
    const ran = runner.run();
    await stage.until(runner, (view) => isRunning(view) && view.restartCount === 1);
    assert.equal(runner.view().started, false);
    assert.ok(stage.events.some((event) => event.includes('failed startup probe')));
    runner.stop(0);
    await ran;
  });
});

describe('A probe', () => {
  const target = { podIp: '127.0.0.1', container: container(), pid: 0, env: {} };

  it('that cannot be made has failed, and says why', async () => {
    const messages = await Promise.all([
      { httpGet: { port: 1, path: '/', httpHeaders: [{ name: 'x', value: 'a\nb' }] } }, { httpGet: { port: 1, path: '/?a b' } }, { httpGet: { port: 70_000, path: '/' } },
      { tcpSocket: { port: 70_000 } }, { exec: { command: ['a\0b'] } },
    ].map(async (probe) => await probeOnce(probe, target)));
    assert.deepEqual(messages.filter(({ ok, message }) => ok || message === ''), []);
    assert.match(messages[0]?.message ?? '', /Invalid character in header content/);
  });

  it('asks for its path as a kubelet does', async () => {
    const paths: (string | undefined)[] = [];
    await using server = createServer(({ url }, response) => { paths.push(url); response.end(); }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const asked = ['/a b/%20/50%/ü"?x=%y&z="1"#there', 'healthz', '/a/../b(c)'];
    for (const path of asked) assert.ok((await probeOnce({ httpGet: { port, path } }, target)).ok);
    assert.deepEqual(paths, ['/a%20b/%20/50%25/%C3%BC%22?x=%y&z="1"', '/healthz', '/a/../b(c)']);
  });

  it('of a container that cannot be made leaves it not ready, and others alone', async () => {
    const stage = new Stage('Never');
    const probe = { httpGet: { port: 1, path: '/?a b' }, periodSeconds: 1, failureThreshold: 1 };
    const runner = new ContainerRunner(container({ readinessProbe: probe, livenessProbe: probe }), 'app', stage.host);
    stage.onSignal = () => { stage.exit(143); };
    await runner.run();
    assert.ok(stage.events.some((event) => event.startsWith('Unhealthy: Readiness probe failed: ')), stage.events.join('\n'));
    assert.deepEqual(stage.readied, []);
  });
});

describe('The end of a pod', () => {
  it('is brought nearer by a shorter grace, also for sidecars that are ending already', async () => {
    const [app, sidecar] = [new Stage(), new Stage()];
    const runners = [new ContainerRunner(container({ name: 'proxy' }), 'sidecar', sidecar.host), new ContainerRunner(container(), 'app', app.host)] as const;
    const ran = Promise.all(runners.map((runner) => runner.run()));
    await sidecar.until(runners[0], isRunning);
    await app.until(runners[1], isRunning);
    app.onSignal = () => { app.exit(0); };
    const told = Promise.withResolvers<undefined>();
    sidecar.onSignal = (name) => { if (name === 'SIGKILL') sidecar.exit(137); else told.resolve(undefined); };
    const end = new PodEnd(runners);
    end.begin(600);
    assert.deepEqual(sidecar.signals, [], 'the app may still need it');
    const ended = end.endSidecars(600);
    await told.promise;
    // Not in ten minutes.
    end.begin(0);
    await Promise.all([ended, ran]);
    assert.deepEqual([app.signals, sidecar.signals], [['SIGTERM'], ['SIGTERM', 'SIGKILL']]);
  });
});

describe('A time longer than Node\'s timers know', () => {
  it('passes in parts', async () => {
    let called = 0;
    const cancel = later(longestDelayMs + 1, () => { called += 1; });
    await delay(20);
    cancel();
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      later(longestDelayMs * 2 + 5, () => { called += 1; });
      mock.timers.tick(longestDelayMs);
      mock.timers.tick(longestDelayMs);
      assert.equal(called, 0);
      mock.timers.tick(5);
      assert.equal(called, 1);
    } finally {
      mock.timers.reset();
    }
  });
});

describe('A container of an agent\'s earlier life', () => {
  const before = (more: Partial<ContainerStatus>) => ({ name: 'c', image: 'i', imageID: '', restartCount: 2, ready: true, containerID: 'sandbox://x', ...more }) as ContainerStatus;

  it('counts as started again', () => {
    const { restartCount, lastState } = new ContainerRunner(container(), 'app', new Stage().host, before({ state: { running: { startedAt: 't' } } })).view();
    assert.deepEqual([restartCount, lastState.terminated?.exitCode], [3, 137]);
  });

  it('has failed where nothing is started again, and stays completed where it was', async () => {
    const lost = new ContainerRunner(container(), 'app', new Stage('Never').host, before({ state: { running: { startedAt: 't' } } }));
    const done = new ContainerRunner(container(), 'app', new Stage('OnFailure').host, before({ state: { terminated: { exitCode: 0 } } }));
    await Promise.all([lost.run(), done.run()]);
    assert.deepEqual([lost.view().state.terminated?.exitCode, done.view().state.terminated?.exitCode], [137, 0]);
  });
});
