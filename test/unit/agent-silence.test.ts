import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SilentPods } from '../../sandbox/agent/silence.ts';

describe('Pods that are cut off', () => {
  let dir: string;
  const over = new AbortController();
  before(async () => { dir = await mkdtemp(join(tmpdir(), 'silent-')); });
  after(async () => {
    over.abort();
    await rm(dir, { recursive: true });
  });

  it('are known to another process from the mark on until it is taken away, also to one that comes later', async () => {
    const [agent, balancer] = [new SilentPods(join(dir, 'marks')), new SilentPods(join(dir, 'marks'))];
    agent.mark('10.1.1.1', true);
    let told: readonly string[] = [];
    let wake: () => void = () => undefined;
    balancer.watch((ips) => { told = [...ips].sort(); wake(); }, over.signal);
    const until = async (...wanted: string[]) => {
      while (told.join() !== wanted.join()) await new Promise<void>((resolve) => { wake = resolve; });
    };
    await until('10.1.1.1');
    agent.mark('10.1.1.2', true);
    await until('10.1.1.1', '10.1.1.2');
    agent.mark('10.1.1.1', false);
    agent.mark('10.1.1.9', false);
    await until('10.1.1.2');
    agent.clear();
    await until();
    assert.deepEqual(told, []);
  });
});
