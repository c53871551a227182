import type { ConsumersPlan, LoadPlan } from './plan.ts';

/** Share of the records of 10 s that may be other than ok before a drill is ended. */
export const defaultMostErrors = 0.5;

export const defaultLoad: LoadPlan = { pattern: 'constant', payloadBytes: 0, keyDistribution: 'uniform', format: 'json', retry: 'none', workers: 0 };
/** Of workers: Node.js as its makers publish it; it runs TypeScript as it is. */
export const defaultWorkerImage = 'docker.io/library/node:24-alpine';
export const defaultConsumers: ConsumersPlan = { count: 2, mode: 'subscribe' };

/** Of the load, which the driver sends some of and each worker: 16, as where four clusters share two cores a record takes 40 ms, and 4 would carry less than 100 a second. */
export function defaultConnections({ workers }: LoadPlan): number {
  return Math.max(16, workers + 1);
}

/** What can be chosen, the default first. */
export const choices = {
  pattern: ['constant', 'ramp', 'poisson'],
  keyDistribution: ['uniform', 'zipf'],
  format: ['json', 'binary'],
  retry: ['none', 'safe', 'always'],
  mode: ['subscribe', 'assign'],
} as const;

/** Registry with its port, path, tag and digest, of which only the path has to be there. */
const imageName = /^\w[\w.-]*(:\d+)?(\/\w[\w.-]*)*(:\w[\w.-]*)?(@\w+:[0-9a-f]+)?$/;

/** All that is wrong with how a load is to be sent, one phrase each. */
export function wrongLoad(load: LoadPlan): string[] {
  return [
    ...(['pattern', 'keyDistribution', 'format', 'retry'] as const).flatMap((name) => oneOf(name, load[name], choices[name])),
    ...(load.rampFrom === undefined ? [] : whole('rampFrom', load.rampFrom, { least: 1, most: 20_000, unit: 'records a second' })),
    ...(load.rampFrom !== undefined && load.pattern !== 'ramp' ? [`rampFrom is ${load.rampFrom}, but the pattern is ${load.pattern}, which has no begin of its own`] : []),
    ...whole('payloadBytes', load.payloadBytes, { least: 0, most: 1_000_000, unit: 'bytes' }),
    ...(load.requestsPerConnection === undefined ? [] : whole('requestsPerConnection', load.requestsPerConnection, { least: 1, most: 1_000_000, unit: 'requests' })),
    ...whole('workers', load.workers, { least: 0, most: 100, unit: 'pods' }),
    ...(load.workerImage === undefined || imageName.test(load.workerImage) ? [] : [`workerImage is ${load.workerImage}, must be the name of an image, such as ${defaultWorkerImage}`]),
    ...(load.workerImage !== undefined && load.workers === 0 ? [`workerImage is ${load.workerImage}, but there are no workers`] : []),
  ];
}

/** All that is wrong with the number of a load's connections, one phrase each. */
export function wrongConnections(connections: number, { workers }: LoadPlan): string[] {
  const unit = workers === 0 ? 'connections' : `connections, as the driver needs one and each of ${workers} workers`;
  return whole('connections', connections, { least: workers + 1, most: 10_000, unit });
}

/** All that is wrong with the consumers of a topic of so many partitions, one phrase each. */
export function wrongConsumers({ count, mode }: ConsumersPlan, partitions: number): string[] {
  return [
    ...oneOf('consumers.mode', mode, choices.mode),
    // One more would be given nothing, and a drill waits until each was given something.
    ...whole('consumers.count', count, { least: 1, most: partitions, unit: 'consumers, as the topic has so many partitions' }),
  ];
}

function oneOf(name: string, value: string, allowed: readonly string[]): string[] {
  return allowed.includes(value) ? [] : [`${name} is ${value}, must be ${allowed.join(', ')}`];
}

function whole(name: string, value: number, { least, most, unit }: { least: number; most: number; unit: string }): string[] {
  return Number.isSafeInteger(value) && value >= least && value <= most ? [] : [`${name} is ${value}, must be a whole number from ${least} to ${most} ${unit}`];
}
