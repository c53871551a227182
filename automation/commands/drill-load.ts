import type { Command } from 'commander';
import type { DrillOptions } from '../drill/index.ts';
import { choices, defaultWorkerImage } from '../drill/load-plan.ts';
import type { ConsumersPlan, LoadPlan } from '../drill/plan.ts';
import { defaults, wholeNumber } from './values.ts';

export interface LoadFlags {
  rate: number;
  connections?: number;
  pattern?: LoadPlan['pattern'];
  rampFrom?: number;
  payloadBytes?: number;
  keyDistribution?: LoadPlan['keyDistribution'];
  format?: LoadPlan['format'];
  requestsPerConnection?: number;
  retry?: LoadPlan['retry'];
  workers?: number;
  workerImage?: string;
  consumers?: number;
  consumerMode?: ConsumersPlan['mode'];
}

/** How a drill's load is sent and consumed. */
export function addLoadOptions(command: Command): Command {
  const oneOf = (flag: string, description: string, allowed: readonly string[]): void => { command.addOption(command.createOption(flag, `${description} (default: ${allowed[0] ?? ''})`).choices(allowed)); };
  command
    .option('--rate <n>', 'records per second', wholeNumber(1), defaults.rate)
    .option('--connections <n>', 'keep-alive connections of the load (default: 16; with 16 workers or more, one for each and one more)', wholeNumber(1));
  oneOf('--pattern <name>', 'when records are due: evenly, more and more, or at random', choices.pattern);
  command
    .option('--ramp-from <n>', 'records per second at a ramp\'s begin', wholeNumber(1))
    .option('--payload-bytes <n>', 'length of a record\'s value (default: as short as its identity allows)', wholeNumber(0));
  oneOf('--key-distribution <name>', 'which keys records have', choices.keyDistribution);
  oneOf('--format <name>', 'how records are embedded', choices.format);
  command.option('--requests-per-connection <n>', 'close a connection after so many requests (default: keep it)', wholeNumber(1));
  oneOf('--retry <name>', 'what a client does when a record was not written for certain (safe), or whenever it was not ok (always)', choices.retry);
  command
    .option('--workers <n>', 'send from so many pods of the cluster of tier1 (default: from here)', wholeNumber(1))
    .option('--worker-image <image>', `what these pods run, an image with Node.js 24 or newer (default: ${defaultWorkerImage})`)
    .option('--consumers <n>', 'how many consumers (default: 2)', wholeNumber(1));
  oneOf('--consumer-mode <name>', 'consumers share a subscription, or have partitions of their own', choices.mode);
  return command;
}

/** The part of a drill's options that the flags say. */
export function loadOf({ rate, connections, consumers: count, consumerMode: mode, ...flags }: LoadFlags): Pick<DrillOptions, 'rate' | 'connections' | 'load' | 'consumers'> {
  const { pattern, rampFrom, payloadBytes, keyDistribution, format, requestsPerConnection, retry, workers, workerImage } = flags;
  return {
    rate, ...given({ connections }),
    load: given({ pattern, rampFrom, payloadBytes, keyDistribution, format, requestsPerConnection, retry, workers, workerImage }),
    consumers: given({ count, mode }),
  };
}

/** What was given, so that the rest keeps its default. */
function given<T extends object>(flags: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
