import assert from 'node:assert/strict';
import fc from 'fast-check';
import { check } from '../../automation/drill/checker.ts';
import type { History } from '../../automation/drill/checker.ts';
import type { Attempt, Commit, Delivery, LogRecord } from '../../automation/drill/records.ts';

const run = 'r';

interface Whole extends History {
  attempts: Attempt[];
  log: LogRecord[];
  deliveries: Delivery[];
}

/** A run in which nothing went wrong but what may: failed and unknown requests, redeliveries, and requests that overlap. */
const clean: fc.Arbitrary<Whole> = fc.array(fc.record({
  outcome: fc.constantFrom('ok', 'ok', 'ok', 'failed', 'unknown'),
  present: fc.boolean(),
  latency: fc.integer({ min: 1, max: 80 }),
  written: fc.double({ min: 0, max: 1, noNaN: true }),
  redelivered: fc.integer({ min: 0, max: 2 }),
}), { minLength: 12, maxLength: 120 }).map((requests) => {
  const attempts: Attempt[] = requests.map(({ outcome, latency }, seq) => ({
    producer: 'p0', seq, attempt: 0, key: `k${seq % 4}`, intendedMs: seq * 10, issuedMs: seq * 10, sentMs: seq * 10, endMs: seq * 10 + latency,
    outcome: outcome as Attempt['outcome'], class: outcome,
  }));
  // A record is written some time between being sent and being answered, and offsets follow that order.
  const written = attempts.map((attempt, i) => ({ attempt, at: attempt.intendedMs + (requests[i]?.written ?? 0) * (attempt.endMs - attempt.intendedMs) }))
    .filter(({ attempt }, i) => attempt.outcome === 'ok' || (attempt.outcome === 'unknown' && requests[i]?.present))
    .sort((a, b) => a.at - b.at);
  const next = new Map<number, number>();
  const log = written.map(({ attempt }): LogRecord => {
    const partition = attempt.seq % 2;
    const offset = next.get(partition) ?? 0;
    next.set(partition, offset + 1);
    if (attempt.outcome === 'ok') Object.assign(attempt, { partition, offset });
    return { partition, offset, key: attempt.key, id: { run, producer: 'p0', seq: attempt.seq } };
  });
  const deliveries = log.flatMap(({ partition, offset, id }, i) => Array.from({ length: 1 + (requests[i]?.redelivered ?? 0) }, (): Delivery =>
    ({ consumer: 0, instance: 'c', tMs: 10_000 + i, partition, offset, ...(id ? { id } : {}) })));
  return { run, attempts, log, deliveries, committed: Object.fromEntries(next) };
});

/** Clean runs with at least two acknowledged records of one key, the later sent after the earlier was answered. */
const ordered = clean.filter(({ attempts }) => pairInOrder(attempts) !== undefined);

function pairInOrder(attempts: Attempt[]): [Attempt, Attempt] | undefined {
  const ok = attempts.filter(({ outcome }) => outcome === 'ok');
  for (const first of ok) {
    const second = ok.find(({ key, sentMs = 0 }) => key === first.key && sentMs > first.endMs);
    if (second !== undefined) return [first, second];
  }
  return undefined;
}

function firstOk({ attempts }: Whole): Attempt {
  const attempt = attempts.find(({ outcome }) => outcome === 'ok');
  assert.ok(attempt);
  return attempt;
}

const withOk = clean.filter(({ attempts }) => attempts.some(({ outcome }) => outcome === 'ok'));

/** 40 records of a partition, all given and committed, and 30 of them again: back to a commit that nobody answered, made before all others. */
function takenBack(mode: 'subscribe' | 'assign'): Whole {
  const log = Array.from({ length: 40 }, (_, offset): LogRecord => ({ partition: 0, offset, key: 'k', id: { run, producer: 'p0', seq: offset } }));
  const attempts = log.map(({ offset }): Attempt => ({ producer: 'p0', seq: offset, attempt: 0, key: 'k', intendedMs: offset, issuedMs: offset, sentMs: offset, endMs: offset + 0.5, outcome: 'ok', class: 'ok', partition: 0, offset }));
  const give = (instance: string, from: number, to: number, askedMs: number): Delivery[] =>
    log.slice(from, to).map(({ offset, ...record }) => ({ consumer: 0, instance, askedMs, tMs: askedMs + 10, partition: 0, offset, ...(record.id ? { id: record.id } : {}) }));
  const commits: Commit[] = [{ consumer: 0, instance: 'c0', tMs: 120, partition: 0, offset: 10, unanswered: true }, { consumer: 0, instance: 'c1', tMs: 220, partition: 0, offset: 25 }, { consumer: 0, instance: 'c1', tMs: 320, partition: 0, offset: 40 }];
  return { run, mode, attempts, log, commits, deliveries: [...give('c0', 0, 10, 100), ...give('c1', 10, 25, 200), ...give('c1', 25, 40, 300), ...give('c2', 10, 40, 600_000)], committed: { 0: 10 } };
}

describe('the checker', () => {
  it('finds nothing in clean runs, and counts what may be', () => {
    fc.assert(fc.property(clean, (history) => {
      const { log, consume, evidence } = check(history);
      const present = history.attempts.filter(({ outcome, seq }) => outcome === 'unknown' && history.log.some(({ id }) => id?.seq === seq));
      assert.deepEqual(log, {
        ackedLost: 0, offsetMismatch: 0, phantom: 0, reordered: 0, unackedPresent: present.length, duplicates: { clientRetry: 0, unexplained: 0 },
      });
      const again = history.deliveries.length - history.log.length;
      assert.deepEqual(consume, { delivered: history.log.length, redelivered: again, redeliveredAfterCommit: 0, commitsLost: 0, backwards: again, backwardsInPoll: 0, skipped: 0, undelivered: 0 });
      assert.deepEqual(Object.keys(evidence).filter((finding) => finding !== 'log.unackedPresent'), []);
    }), { numRuns: 300 });
  });

  it('finds an acknowledged record that is not in the log', () => {
    fc.assert(fc.property(withOk, (history) => {
      const lost = firstOk(history);
      const log = history.log.filter(({ id }) => id?.seq !== lost.seq);
      const deliveries = history.deliveries.filter(({ id }) => id?.seq !== lost.seq);
      const { log: found, evidence } = check({ ...history, log, deliveries });
      assert.equal(found.ackedLost, 1);
      assert.match(evidence['log.ackedLost']?.[0] ?? '', new RegExp(`^p0/${lost.seq},`));
    }));
  });

  it('never counts an unknown outcome as lost', () => {
    fc.assert(fc.property(clean, (history) => {
      const attempts = history.attempts.map((attempt): Attempt => ({ ...attempt, outcome: 'unknown' }));
      assert.equal(check({ ...history, attempts, log: [], deliveries: [] }).log.ackedLost, 0);
    }));
  });

  it('finds an offset that holds another record', () => {
    fc.assert(fc.property(withOk, (history) => {
      const wrong = firstOk(history);
      const attempts = history.attempts.map((attempt) => (attempt === wrong ? { ...attempt, offset: (attempt.offset ?? 0) + 1000 } : attempt));
      assert.equal(check({ ...history, attempts }).log.offsetMismatch, 1);
    }));
  });

  it('finds two records at one offset', () => {
    fc.assert(fc.property(withOk, fc.integer({ min: 1000 }), (history, seq) => {
      const [first] = history.log;
      assert.ok(first);
      const log = [...history.log, { ...first, id: { run, producer: 'p0', seq } }];
      assert.ok(check({ ...history, log }).log.offsetMismatch >= 1);
    }));
  });

  it('finds a record that was never sent, of another run, or not one of a drill', () => {
    fc.assert(fc.property(clean, fc.constantFrom({ run, producer: 'p0', seq: 99_999 }, { run: 'other', producer: 'p0', seq: 0 }, undefined), (history, id) => {
      const log = [...history.log, { partition: 0, offset: 50_000, ...(id ? { id } : {}) }];
      assert.equal(check({ ...history, log }).log.phantom, 1);
    }));
  });

  it('finds a record that was answered as not written', () => {
    fc.assert(fc.property(withOk, (history) => {
      const denied = firstOk(history);
      const attempts = history.attempts.map((attempt): Attempt => (attempt === denied ? { ...attempt, outcome: 'failed' } : attempt));
      assert.equal(check({ ...history, attempts }).log.phantom, 1);
    }));
  });

  it('finds a record below one of its key that was answered before it was sent', () => {
    fc.assert(fc.property(ordered, (history) => {
      const [first, second] = pairInOrder(history.attempts) ?? [];
      assert.ok(first && second);
      const attempts = history.attempts.map((attempt) => {
        if (attempt === first) return { ...attempt, partition: second.partition ?? 0, offset: second.offset ?? 0 };
        if (attempt === second) return { ...attempt, partition: first.partition ?? 0, offset: first.offset ?? 0 };
        return attempt;
      });
      assert.ok((check({ ...history, attempts }).log.reordered ?? 0) >= 1);
    }));
  });

  it('counts a record below one of its key once, though it was told of another place besides', () => {
    const attempt = (seq: number, more: Partial<Attempt>): Attempt => ({ producer: 'p0', seq, attempt: 0, key: 'k', intendedMs: 0, issuedMs: seq * 10, sentMs: seq * 10, endMs: seq * 10 + 5, outcome: 'ok', class: 'ok', partition: 0, ...more });
    const lying = (seq: number, offset: number): LogRecord => ({ partition: 0, offset, key: 'k', id: { run, producer: 'p0', seq } });
    const attempts = [attempt(0, { offset: 9 }), attempt(1, { offset: 5 }), attempt(2, { offset: 11 }), attempt(1, { attempt: 1, endMs: 30, offset: 11 })];
    const { log } = check({ run, attempts, log: [lying(1, 5), lying(0, 9), lying(2, 11)], deliveries: [] });
    assert.deepEqual([log.reordered, log.offsetMismatch], [1, 1]);
  });

  it('finds a second copy, which nothing explains', () => {
    fc.assert(fc.property(withOk, (history) => {
      const { seq } = firstOk(history);
      const log = [...history.log, { partition: 0, offset: 70_000, id: { run, producer: 'p0', seq } }];
      assert.deepEqual(check({ ...history, log }).log.duplicates, { clientRetry: 0, unexplained: 1 });
    }));
  });

  it('explains a second copy by a proxy that says it tried twice, but no third', () => {
    fc.assert(fc.property(withOk, (history) => {
      const twice = firstOk(history);
      const attempts = history.attempts.map((attempt) => (attempt === twice ? { ...attempt, proxyAttempts: 2 } : attempt));
      const copies = [70_000, 70_001].map((offset) => ({ partition: 0, offset, id: { run, producer: 'p0', seq: twice.seq } }));
      assert.deepEqual(check({ ...history, attempts, log: [...history.log, ...copies] }).log.duplicates, { clientRetry: 0, proxyRetry: 1, unexplained: 1 });
    }));
  });

  it('explains a second copy by a client that sent it again', () => {
    fc.assert(fc.property(withOk, (history) => {
      const again = firstOk(history);
      const attempts: Attempt[] = [{ ...again, outcome: 'unknown', class: 'timeout' }, ...history.attempts.map((attempt) => (attempt === again ? { ...again, attempt: 1 } : attempt))];
      const log = [...history.log, { partition: 0, offset: 70_000, id: { run, producer: 'p0', seq: again.seq } }];
      assert.deepEqual(check({ ...history, attempts, log }).log.duplicates, { clientRetry: 1, unexplained: 0 });
    }));
  });

  it('finds a record below the position that was never delivered', () => {
    fc.assert(fc.property(withOk, (history) => {
      const [skipped] = history.log;
      assert.ok(skipped);
      const deliveries = history.deliveries.filter(({ partition, offset }) => partition !== skipped.partition || offset !== skipped.offset);
      const { consume, evidence } = check({ ...history, deliveries });
      assert.equal(consume.skipped, 1);
      assert.deepEqual(evidence['consume.skipped'], [`partition ${skipped.partition} offset ${skipped.offset}`]);
    }));
  });

  it('tells a tail that was not reached from records that were skipped', () => {
    fc.assert(fc.property(withOk, (history) => {
      const tail = history.log.filter(({ partition }) => partition === history.log[0]?.partition).length;
      const deliveries = history.deliveries.filter(({ partition }) => partition !== history.log[0]?.partition);
      const { consume } = check({ ...history, deliveries, committed: {} });
      assert.deepEqual([consume.skipped, consume.undelivered], [0, tail]);
    }));
  });

  it('finds what is given again behind a commit that nobody answered, once the group has gone on', () => {
    const { consume, evidence } = check(takenBack('subscribe'));
    assert.deepEqual([consume.redeliveredAfterCommit, consume.commitsLost], [30, 1]);
    assert.equal(evidence['consume.redeliveredAfterCommit']?.[0], 'partition 0 offset 10 was given to consumer 0, which had asked at 600000 ms, when 40 was committed');
    assert.deepEqual(evidence['consume.commitsLost'], ['partition 0: 40 was committed, and Kafka has 10 at the end']);
  });

  it('takes the commit of a consumer with partitions of its own for one that may come at any time, and finds that such a consumer went back', () => {
    const { consume } = check(takenBack('assign'));
    assert.deepEqual([consume.commitsLost, consume.backwards], [0, 1]);
  });

  it('finds that a partition of one\'s own was given to another besides, which a group may do', () => {
    const history = takenBack('assign');
    const deliveries = history.deliveries.slice(0, 40).flatMap((delivery) => [delivery, { ...delivery, consumer: 1, instance: 'another', askedMs: (delivery.askedMs ?? 0) + 1 }]);
    const backwards = (mode: 'subscribe' | 'assign'): number => check({ ...history, mode, deliveries }).consume.backwards;
    assert.deepEqual([backwards('assign'), backwards('subscribe')], [40, 0]);
  });

  it('says that the clock jumped where a record is given before it was handed over, by more than clocks may be off each other', () => {
    fc.assert(fc.property(clean.filter(({ log }) => log.length > 0), fc.integer({ min: 1, max: 5000 }), (history, earlyMs) => {
      const [first] = history.deliveries;
      const { issuedMs } = history.attempts.find(({ seq }) => seq === first?.id?.seq) ?? assert.fail();
      assert.ok(first);
      // In nobody's way: before everything else that was given.
      const deliveries = [{ ...first, instance: 'early', tMs: issuedMs - earlyMs }, ...history.deliveries];
      const { clockJumps, log, consume, evidence } = check({ ...history, deliveries });
      assert.deepEqual([clockJumps, log.reordered, consume.redeliveredAfterCommit], [1, undefined, undefined]);
      assert.match(evidence['condition.clock']?.[0] ?? '', /^p0\/\d+ was given to consumer 0 at -?\d+ ms, and handed over at \d+$/);
      assert.deepEqual([earlyMs - 1, earlyMs].map((clocksMs) => check({ ...history, deliveries, clocksMs }).clockJumps), [1, 0]);
    }));
  });

  it('keeps at most 20 examples of a finding', () => {
    const attempts = Array.from({ length: 50 }, (_, seq): Attempt => ({
      producer: 'p0', seq, attempt: 0, key: 'k', intendedMs: seq, issuedMs: seq, sentMs: seq, endMs: seq, outcome: 'ok', class: 'ok', partition: 0, offset: seq,
    }));
    const { log, evidence } = check({ run, attempts, log: [], deliveries: [] });
    assert.equal(log.ackedLost, 50);
    assert.equal(evidence['log.ackedLost']?.length, 20);
  });
});
