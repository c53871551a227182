import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { Supervisor } from '../../sandbox/machine/supervisor.ts';
import type { Exit, ManagedProcess } from '../../sandbox/process.ts';

/** A server that the test ends by hand. */
class Fake implements ManagedProcess {
  readonly log = 'a.log';
  readonly pid = 1;
  readonly name: string;
  readonly exited: Promise<Exit>;
  stopping = false;
  readonly #ended = Promise.withResolvers<Exit>();
  readonly #onStop: (name: string) => void;

  constructor(name: string, onStop: (name: string) => void = () => undefined) {
    this.name = name;
    this.exited = this.#ended.promise;
    this.#onStop = onStop;
  }

  die(): void {
    this.#ended.resolve({ code: 1, afterMs: 200 });
  }

  stop(): Promise<void> {
    this.stopping = true;
    this.#onStop(this.name);
    this.#ended.resolve({ signal: 'SIGTERM', afterMs: 200 });
    return Promise.resolve();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}

describe('Supervisor', () => {
  it('stops later stages before earlier ones', async () => {
    const order: string[] = [];
    const supervisor = new Supervisor();
    for (const [stage, name] of [[0, 'etcd'], [2, 'agent'], [1, 'api server']] as const) {
      await supervisor.keep(stage, () => Promise.resolve(new Fake(name, (n) => order.push(n))));
    }
    await supervisor.stop();
    await supervisor.stop();
    assert.deepEqual(order, ['agent', 'api server', 'etcd']);
  });

  it('reports a server that ended by itself, and does not start it again unless told', async () => {
    const heard: string[] = [];
    const supervisor = new Supervisor((name, detail) => heard.push(`${name} ${detail}`));
    const etcd = new Fake('etcd');
    await supervisor.keep(0, () => Promise.resolve(etcd));
    etcd.die();
    await settled();
    assert.deepEqual(heard, ['etcd exited with code 1 after 0.2 s']);
    await assert.rejects(supervisor.broken, /etcd exited with code 1 after 0\.2 s\. It printed nothing/);
    assert.deepEqual(supervisor.report(), [{ name: 'etcd', state: 'ended', pid: 1, restarts: 0, log: 'a.log', detail: 'exited with code 1 after 0.2 s' }]);
  });

  it('starts the node agent again, five times at most', async () => {
    const supervisor = new Supervisor();
    const started: Fake[] = [];
    await supervisor.keep(0, () => {
      const agent = new Fake('node-agent');
      started.push(agent);
      return Promise.resolve(agent);
    }, { again: true });
    for (let i = 0; i < 10; i++) {
      started.at(-1)?.die();
      await settled();
    }
    assert.equal(started.length, 6);
    const [report] = supervisor.report();
    assert.equal(report?.state, 'ended');
    assert.equal(report.restarts, 5);
  });

  it('does not start again what it stops', async () => {
    const supervisor = new Supervisor();
    let starts = 0;
    await supervisor.keep(0, () => { starts++; return Promise.resolve(new Fake('node-agent')); }, { again: true });
    await supervisor.stop();
    await settled();
    assert.equal(starts, 1);
  });

  it('stops at once what becomes ready after the stop', async () => {
    const supervisor = new Supervisor();
    const ready = Promise.withResolvers<ManagedProcess>();
    const kept = supervisor.keep(0, () => ready.promise);
    await supervisor.stop();
    const late = new Fake('etcd');
    ready.resolve(late);
    await kept;
    assert.ok(late.stopping);
  });

  it('passes on why a server could not start', async () => {
    await assert.rejects(new Supervisor().keep(0, () => Promise.reject(new Error('port in use'))), /port in use/);
  });
});
