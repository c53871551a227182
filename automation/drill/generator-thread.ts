import { parentPort, workerData } from 'node:worker_threads';

import { contentOf } from './content.ts';
import { entrance } from './entrance.ts';
import { clockSince } from './exchange.ts';
import type { GeneratorCommand, GeneratorData, GeneratorEvent } from './generator.ts';
import { Lanes } from './lanes.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { constant, scheduleOf } from './pacer.ts';
import { producer } from './producer.ts';
import type { Producer } from './producer.ts';
import type { Attempt } from './records.ts';

/** How long an attempt may wait for others to be told of together; one message each would cost more than the requests. */
const tellAfterMs = 10;

const { tier1, hostname, plan, regions, proxiesRepeat, beginNs } = workerData as GeneratorData;
const clock = clockSince(beginNs);
const { connections, topic, run, requestTimeoutMs: timeoutMs, load: { requestsPerConnection, retry } } = plan;
const pool = entrance(tier1, { connections, requestsPerConnection });
const lanes = new Lanes(connections);
const content = contentOf(plan);
const aborted = new AbortController();

/** How many records each producer has sent. A record is known by its number: another load of the same producer goes on from there. */
const sent = new Map<string, number>();

let untold: Attempt[] = [];
let load: Load | undefined;

function tell(event: GeneratorEvent): void {
  parentPort?.postMessage(event);
}

function tellAttempts(): void {
  if (untold.length > 0) tell({ kind: 'attempts', attempts: untold });
  untold = [];
}

function onAttempt(attempt: Attempt): void {
  // It was still waiting for a connection when the drill was ended: nobody tried to send it, and no part that is drilled is to blame.
  if (aborted.signal.aborted && attempt.sentMs === undefined) return;
  if (untold.length === 0) setTimeout(tellAttempts, tellAfterMs);
  untold.push(attempt);
}

function numbered(name: string, sender: Producer): Producer {
  const first = sent.get(name) ?? 0;
  return {
    send(number, intendedMs) {
      sent.set(name, first + number + 1);
      return sender.send(first + number, intendedMs);
    },
  };
}

parentPort?.on('message', (command: GeneratorCommand) => {
  if (command.kind === 'start') {
    const schedule = command.schedule === 'even' ? constant(plan.rate) : scheduleOf(plan);
    const sender = producer({
      dispatcher: pool, lanes, hostname, topic, run, name: command.producer, content, retry, timeoutMs, regions, proxiesRepeat, clock, onAttempt, signal: aborted.signal,
    });
    load = startLoad(numbered(command.producer, sender), schedule, clock, command.beginMs);
  } else if (command.kind === 'stop') {
    void load?.stop().then(() => {
      tellAttempts();
      tell({ kind: 'stopped' });
    });
  } else if (!aborted.signal.aborted) {
    aborted.abort();
    void pool.destroy();
  }
});
tell({ kind: 'ready' });
