import { Option } from 'commander';
import type { Command } from 'commander';
import type { DrillOptions } from '../drill/index.ts';
import { choices, defaultConsumers, defaultLoad } from '../drill/load-plan.ts';
import type { ConsumersPlan, LoadPlan } from '../drill/plan.ts';
import { wholeNumber } from './values.ts';

/** How a drill's load is sent and read, as flags. */
export interface LoadFlags {
  pattern: LoadPlan['pattern'];
  rampFrom?: number;
  connections?: number;
  requestsPerConnection?: number;
  payloadBytes: number;
  keyDistribution: LoadPlan['keyDistribution'];
  format: LoadPlan['format'];
  retry: LoadPlan['retry'];
  workers: number;
  consumers: number;
  consumerMode: ConsumersPlan['mode'];
}

const chosen = (flags: string, description: string, allowed: readonly string[], otherwise: string): Option => new Option(flags, description).choices(allowed).default(otherwise);

export function addLoadOptions(command: Command): Command {
  return command
    .addOption(chosen('--pattern <name>', 'when records are due: evenly, at a rising rate, or independently of each other', choices.pattern, defaultLoad.pattern))
    .option('--ramp-from <n>', 'records per second at a ramp\'s begin', wholeNumber(1))
    .option('--connections <n>', 'connections of the load', wholeNumber(1))
    .option('--requests-per-connection <n>', 'closes a connection after so many requests (default: keeps it)', wholeNumber(1))
    .option('--payload-bytes <n>', 'length of a record\'s value; 0: as short as its identity allows', wholeNumber(0), defaultLoad.payloadBytes)
    .addOption(chosen('--key-distribution <name>', 'every key in turn, or some more often by Zipf\'s law', choices.keyDistribution, defaultLoad.keyDistribution))
    .addOption(chosen('--format <name>', 'how records travel over HTTP', choices.format, defaultLoad.format))
    .addOption(chosen('--retry <policy>', 'what the client sends again: nothing, what certainly was not written, or also what may have been (duplicates are then its own)', choices.retry, defaultLoad.retry))
    .option('--workers <n>', 'pods that send most of the load, for one that outgrows this machine', wholeNumber(0), defaultLoad.workers)
    .option('--consumers <n>', 'consumers', wholeNumber(1), defaultConsumers.count)
    .addOption(chosen('--consumer-mode <name>', 'members of a group, or consumers with partitions of their own', choices.mode, defaultConsumers.mode));
}

/** The flags as options of a drill. */
export function loadOf({ connections, rampFrom, requestsPerConnection, consumers: count, consumerMode: mode, ...flags }: LoadFlags): Pick<DrillOptions, 'load' | 'consumers' | 'connections'> {
  const { pattern, payloadBytes, keyDistribution, format, retry, workers } = flags;
  return {
    load: {
      pattern, payloadBytes, keyDistribution, format, retry, workers,
      ...(rampFrom === undefined ? {} : { rampFrom }), ...(requestsPerConnection === undefined ? {} : { requestsPerConnection }),
    },
    consumers: { count, mode }, ...(connections === undefined ? {} : { connections }),
  };
}
