import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ProcessorShare } from '../../sandbox/agent/processor-share.ts';

/** Of the session of a process; undefined where the kernel shares processors out otherwise. */
function niceOf(pid: number): number | undefined {
  return existsSync(`/proc/${pid}/autogroup`) ? Number(/nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1]) : undefined;
}

const hasSessions = niceOf(process.pid) !== undefined;

describe('the share of the processors that a container has', () => {
  let leader: ChildProcess;
  afterEach(() => { if (leader.pid !== undefined) process.kill(-leader.pid, 'SIGKILL'); });

  /** A process that leads a session, and one below it with another of its own, which ends with it. */
  async function start(): Promise<[leader: number, below: number]> {
    leader = spawn('sh', ['-c', 'setsid setpriv --pdeathsig KILL sh -c \'echo $$; exec sleep 60\' & wait'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    const [said] = await once(leader.stdout ?? assert.fail(), 'data') as [Buffer];
    return [leader.pid ?? assert.fail(), Number(said)];
  }

  it('is smaller until it is ready, in every session of it, and then what all others have', async () => {
    const pids = await start();
    const share = new ProcessorShare(pids[0]);
    await share.settled;
    assert.deepEqual(pids.map(niceOf), hasSessions ? [10, 10] : [undefined, undefined]);
    share.ready();
    await share.settled;
    assert.deepEqual(pids.map(niceOf), hasSessions ? [0, 0] : [undefined, undefined]);
  });

  it('is not smaller for ever where it does not become ready', async () => {
    const pids = await start();
    const share = new ProcessorShare(pids[0], 300);
    await delay(300);
    await share.settled;
    assert.deepEqual(pids.map(niceOf), hasSessions ? [0, 0] : [undefined, undefined]);
  });

  it('is whole in the end where it was ready before it had given way', async () => {
    const pids = await start();
    const share = new ProcessorShare(pids[0]);
    share.ready();
    await share.settled;
    assert.deepEqual(pids.map(niceOf), hasSessions ? [0, 0] : [undefined, undefined]);
  });

  it('is nothing to complain of where the process is gone', async () => {
    await start();
    const gone = spawn('true');
    await once(gone, 'exit');
    const share = new ProcessorShare(gone.pid ?? assert.fail());
    share.ready();
    await share.settled;
  });
});
