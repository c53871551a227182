import type { Samples } from './figures.ts';
import { laterPhases } from './measured.ts';
import type { Measured } from './measured.ts';
import { atMost, explained, isBroken, tenths } from './objective.ts';
import type { Objective } from './objective.ts';
import type { Expression } from './objective-text.ts';
import type { Expected, FaultMark, Plan } from './plan.ts';
import type { RunRecord } from './report.ts';
import { notYetTakenOver } from './taken-over.ts';

/** Fewer requests than this in a phase say nothing about who serves; ten miss one of two regions that are sent them at random with 0.2 %. */
const fewestSamples = 10;
/** How likely it may be that the requests of a phase miss any of the regions by chance. */
const missed = 2 * 0.5 ** fewestSamples;
/**
 * What the load may add to a request of its own, ms: by handing it over late, or by having no connection free for it. Beyond that it is no open
 * loop any more and measures itself. Half of the shortest gaps that drills had measured when it was chosen (190 to 220 ms), which are to be told from it; where four
 * connections could not carry the load of a drill, its requests waited 400 to 6000 ms when the fault came.
 */
export const ownDelayMs = 100;
/**
 * How far consumers may be behind the log when the fault comes, ms: what they are given late, or never, is their own slowness beyond that. Those that keep up are as far
 * behind as a poll and the pause after it take, about half a second.
 */
const mostBehindMs = 2_000;
/** Of a gap, or of a time that was missed, so much at most may be the load's own making, where that is more: a tenth is what two runs differ by at any rate. */
const ownShare = 0.1;

/** Whether the drill answers its question at all. `asked`: what a person asked for. `judged`: all that it was to be like. */
export function conditionsOf(measured: Measured, asked: readonly Expression[], judged: readonly Objective[]): Objective[] {
  const { run, notHandedOver, ownSockets, latenessMs, connectionWaitMs, consumersBehindMs, clockJumps } = measured;
  const { plan, ending, marks, faults } = run;
  const carriedOut: Objective = {
    name: 'condition.carriedOut', limit: 'every phase of the drill was carried out',
    measured: ending.kind === 'complete' ? 'yes' : ending.reason, met: ending.kind === 'complete',
  };
  if (ending.kind !== 'complete') return [carriedOut];
  return [
    carriedOut,
    ofFaults('condition.faultTookHold', 'tookHoldMs', { marks, faults }),
    recovered({ marks, faults }),
    ...(clockJumps === 0 ? [] : [explained(atMost('condition.clock', 0, clockJumps), 'the clock of the machine that drove the drill went back: times, order and redeliveries cannot be told')]),
    explained(atMost('condition.notHandedOver', 0, notHandedOver), 'records that were due were never sent: who sends them stood still to the end, or lines are missing, so that nobody knows what would have become of them'),
    explained(atMost('condition.ownSockets', 0, ownSockets), noSocketFor(plan)),
    atMost('condition.generatorLatenessP99Ms', ownDelayMs, tenths(latenessMs)),
    ...latenessInGap(measured),
    ...latenessInMissed(measured, judged),
    ...(plan.load.workers === 0 ? [] : [explained(atMost('condition.workerClocksMs', ownDelayMs, tenths(run.workerClocksMs)), 'gaps and shares are of several machines, whose clocks are not known to be so near to each other')]),
    explained(atMost('condition.connectionWaitP50Ms', ownDelayMs, tenths(connectionWaitMs)), tooManyFor(plan)),
    ...(consumersBehindMs === undefined ? [] : [explained(atMost('condition.consumersBehindMs', mostBehindMs, consumersBehindMs), tooSlowFor(plan))]),
    ...samplesOf(measured),
    ...lastedOf(measured),
    ...consumersBroken(run),
    ...gapsUnbounded(measured, asked),
  ];
}

/** A gap is the system's only as far as the load asked for an answer in it. */
function latenessInGap({ produce: { blackoutMs }, latenessInGapMs }: Measured): Objective[] {
  if (blackoutMs === undefined) return [];
  return [explained(atMost('condition.generatorLatenessInGapMs', ownMostMs(blackoutMs), tenths(latenessInGapMs)),
    'the load itself stood still within the longest gap, which is then not the system\'s alone: give a lower rate, or the machine less other work')];
}

/** What took longer than it was to take is the system's only as far as the load handed its requests over in time. What was met was so in spite of that. */
function latenessInMissed({ latenessMaxMs, stepLatenessMs }: Measured, judged: readonly Objective[]): Objective[] {
  const late = (name: string, figureMs: number, latenessMs: number, when: string): Objective => explained(atMost(name, ownMostMs(figureMs), tenths(latenessMs)),
    `the load itself stood still ${when}, so that the time that was missed is not the system's alone: give a lower rate, or the machine less other work`);
  // Of percentiles the condition on that of the lateness says it already.
  const tooSlow = judged.filter((objective) => objective.name === 'produce.latencyMs.max' && !objective.limit.startsWith('>') && isBroken(objective));
  const steps = judged.filter(({ name }) => name.startsWith('step.'));
  return [
    ...(tooSlow.length === 0 ? [] : [late('condition.generatorLatenessMaxMs', Math.min(...tooSlow.map(({ measured }) => Number(measured))), latenessMaxMs, 'at some time')]),
    ...steps.flatMap((step, i) => {
      const { [i]: latenessMs } = stepLatenessMs;
      const number = step.name.slice('step.'.length);
      return latenessMs === undefined || !isBroken(step) ? [] : [late(`condition.generatorLatenessInStepMs.${number}`, Number(step.measured), latenessMs, `in the time of step ${number}`)];
    }),
  ];
}

/** How much of so long a time may be the load's own making, ms. */
function ownMostMs(ms: number): number {
  return Math.max(ownDelayMs, Math.round(ms * ownShare));
}

/** Enough requests in each phase of which something is expected. Before and after the first fault that is always so. */
function samplesOf({ run: { faults, regions }, samples, later }: Measured): Objective[] {
  const expected = (number: number): Expected[] => Object.values(faults[number]?.expects ?? {});
  const enough = (number: number, phase: keyof Samples, count: number): Objective => {
    const serving: readonly Pick<Expected, 'share'>[] = faults.length === 0 ? regions.map(() => ({})) : expected(number).filter(({ [phase]: each }) => each !== 'silent');
    const all = phase === 'during' && isHandedOver(faults[number]) ? serving.reduce((sum, { share = 0 }) => sum + share, 0) : 1;
    const fewest = samplesFor(serving.map(({ share }) => (share === undefined ? 1 / serving.length : share / all)));
    return { name: `condition.samples.${phase}${number === 0 ? '' : `.${number + 1}`}`, limit: `>= ${fewest}`, measured: count, met: count >= fewest };
  };
  const expects = (number: number, phase: keyof Samples): boolean => expected(number).some(({ [phase]: each }) => each !== 'any');
  return [
    enough(0, 'before', samples.before), ...(faults.length === 0 || expects(0, 'during') ? [enough(0, 'during', samples.during)] : []), enough(0, 'after', samples.after),
    ...later.flatMap((around, i) => laterPhases.filter((phase) => expects(i + 1, phase)).map((phase) => enough(i + 1, phase, around.samples[phase]))),
  ];
}

/** Whether a region's gateway hands its share to the others. Where it is gone itself, weights give that to nobody. */
function isHandedOver(mark: FaultMark | undefined): boolean {
  return mark?.fault.startsWith('bridge-') === true;
}

/** So many requests miss any of the regions that are sent these shares of them, at random, as seldom as ten do one of two: by the sum of (1 - share)^k of k requests. */
function samplesFor(shares: readonly number[]): number {
  let fewest = fewestSamples;
  while (shares.reduce((sum, share) => sum + (1 - share) ** fewest, 0) > missed + 1e-9) fewest += 1;
  return fewest;
}

/** A fault that was over before the settings have another region serve says nothing of whether one would have. */
function lastedOf(measured: Measured): Objective[] {
  return measured.run.faults.flatMap((_, i) => {
    const { lastedMs, boundMs, regions } = notYetTakenOver(measured, i);
    if (regions.length === 0) return [];
    return [{
      name: `condition.faultLasted${i === 0 ? '' : `.${i + 1}`}`, limit: `>= ${boundMs} ms`, measured: lastedMs, met: false,
      why: `${regions.join(' and ')} served nobody until the fault ended, for which the settings in effect allow ${boundMs} ms: whether another region takes over shows only after that; let it last longer (--duration)`,
    }];
  });
}

/** What was broken stays so without these; only nothing passes. */
const afterFailures = new Set(['condition.recovered', 'condition.produceBound', 'condition.consumeBound']);

export function comesAfterFailures({ name }: Objective): boolean {
  return afterFailures.has(name);
}

/** What hurts a region that nobody would miss has to end as well. */
function recovered(run: Pick<RunRecord, 'marks' | 'faults'>): Objective {
  return explained(ofFaults('condition.recovered', 'recoveredMs', run), `${run.faults.filter(({ recoveredMs }) => recoveredMs === undefined).map(nameOf).join(' and ') || 'the fault'} was not seen to be over: `
    + 'see what its cluster says of it, and whether what it hurt serves again');
}

/** Of several faults each has to. */
function ofFaults(name: string, mark: 'tookHoldMs' | 'recoveredMs', { marks, faults }: Pick<RunRecord, 'marks' | 'faults'>): Objective {
  const missing = faults.filter((fault) => fault[mark] === undefined).map(nameOf);
  const all = marks[mark] !== undefined && missing.length === 0;
  return { name, limit: '= true', measured: all, met: all, ...(faults.length > 1 && !all ? { why: `${missing.join(' and ')} did not` } : {}) };
}

function nameOf({ fault, region }: FaultMark): string {
  return `${fault}${region === undefined ? '' : ` of ${region}`}`;
}

/** Of the drill's own consumers; those that could not be made anew are the system's matter, and an objective. */
function consumersBroken({ consumers }: RunRecord): Objective[] {
  if (consumers === undefined) return [];
  const [first] = consumers.broken;
  return [explained(atMost('condition.consumersBroken', 0, consumers.broken.length), `a consumer of the drill's own broke, and took part no more: ${first ?? ''}; run the drill again, and if it comes back, report it`)];
}

/**
 * A gap that nothing says how long it may be would pass however long it is. Where settings were read and bound nothing, that is what they say (docs/verdict.md names those faults); where
 * they could not be, a person has to say it.
 */
function gapsUnbounded({ produce, consume, predicted }: Measured, asked: readonly Expression[]): Objective[] {
  const gaps = [
    { of: 'produce', who: 'requests', ms: produce.blackoutMs, such: '2s' }, { of: 'consume', who: 'consumers', ms: consume?.blackoutMs, such: '30s' },
  ] as const;
  return gaps.flatMap(({ of, who, ms, such }) => {
    const unread = predicted === undefined ? 'no settings were read' : predicted.unread?.[of];
    if (ms === undefined || unread === undefined || asked.some(({ name, op }) => name === `${of}.blackoutMs` && !op.startsWith('>'))) return [];
    return [{
      name: `condition.${of}Bound`, limit: `settings, or an objective, that say how long ${who} may wait`, measured: 'none', met: false,
      why: `${unread}, so that the longest gap of ${who}, ${Math.round(ms)} ms, was held against nothing: see that the drill can read that, or say how long it may be, such as --objective '${of}.blackoutMs<=${such}'`,
    }];
  });
}

function tooManyFor({ connections, rate }: Plan): string {
  return `already before the fault requests queued for the load's own ${connections} connections, which do not carry ${rate} records/s here: `
    + 'times and outcomes are that queue\'s; give a lower rate, or the machine less other work';
}

function noSocketFor({ load: { requestsPerConnection } }: Plan): string {
  return 'requests were never sent, as the machine that was to send them had no port, file handle or buffer left for another connection: that they failed is its own doing, and no failover hides it; '
    + (requestsPerConnection === undefined ? 'give the machine more of them, or a lower rate' : `each connection is closed after ${requestsPerConnection} requests, and its port may be away for a minute then: give it more (--requests-per-connection), or a lower rate`);
}

function tooSlowFor({ consumers, rate }: Plan): string {
  return `already before the fault the ${consumers.count} consumers did not keep up with ${rate} records/s: what they were given late, or not to the end, is their own; give a lower rate, smaller payloads, or more consumers (--consumers)`;
}
