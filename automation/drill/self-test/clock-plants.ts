import { logged, pick, remove, soleAcknowledged } from './changes.ts';
import type { Chance } from './chance.ts';
import { jump } from './history.ts';
import type { Found, Generated } from './history.ts';
import type { Plant } from './plants.ts';

/** Times that contradict each other. */
export const clockPlants: Record<string, Plant> = {
  'clock gone back': (history, chance) => (goBack(history, chance) === undefined ? undefined : untold),
  'loss while the clock went back': (history, chance) => {
    const [lost] = pick(chance, soleAcknowledged(history), 1);
    if (lost === undefined || goBack(history, chance) === undefined) return undefined;
    remove(history, lost);
    return { ackedLost: 1, ...untold };
  },
  'request answered before it was sent, or sent before it was handed over': (history, chance) => {
    const attempt = chance.one(history.attempts);
    if (attempt === undefined) return undefined;
    attempt.sentMs = chance.of(0.5) ? attempt.issuedMs - chance.number(0.1, 100) : attempt.endMs + chance.number(0.1, 100);
    return untold;
  },
  'given before it was asked for': (history, chance) => {
    const delivery = chance.one(history.deliveries);
    if (delivery === undefined) return undefined;
    delivery.askedMs = delivery.tMs + chance.number(0.1, 100);
    return untold;
  },
  'given before what the same consumer was given before': ({ deliveries }, chance) => {
    const pairs = deliveries.flatMap((delivery, i) => {
      const next = deliveries.slice(i + 1).find(({ instance }) => instance === delivery.instance);
      return next === undefined ? [] : [[delivery, next] as const];
    });
    const [delivery, next] = chance.one(pairs) ?? [];
    if (delivery === undefined || next === undefined) return undefined;
    delivery.tMs = next.tMs + chance.number(0.1, 100);
    return untold;
  },
  'given before it was handed over': (history, chance) => {
    const delivery = chance.one(logged(history));
    const own = history.attempts.filter(({ producer, seq }) => producer === delivery?.id?.producer && seq === delivery.id.seq);
    if (delivery === undefined || own.length === 0) return undefined;
    const tMs = Math.min(...own.map(({ issuedMs }) => issuedMs)) - history.clocksMs - chance.number(0.1, 10_000);
    history.deliveries.unshift({ ...delivery, instance: 'early', askedMs: tMs - 1, tMs });
    return untold;
  },
};

/** What cannot be told once times contradict each other. */
const untold = { clockJumps: true, reordered: undefined, redeliveredAfterCommit: undefined, commitsLost: undefined } satisfies Partial<Found>;

const leastBackMs = 1000;

/** Between two records of a producer, by more than the time between them: less is no more than a clock that went on slowly. */
function goBack(history: Generated, chance: Chance): number | undefined {
  const first = history.attempts.filter(({ attempt }) => attempt === 0);
  const later = chance.one(first.filter(({ producer, seq, issuedMs }) => first.some((other) => other.producer === producer && other.seq === seq - 1 && other.issuedMs > issuedMs - leastBackMs)));
  if (later === undefined) return undefined;
  const backMs = chance.number(leastBackMs, 100_000);
  jump(history, later.issuedMs, -backMs);
  return backMs;
}
