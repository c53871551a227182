import { setTimeout as delay } from 'node:timers/promises';

import * as pulumi from '@pulumi/pulumi';

import type { Configuration } from '../config/schema.ts';
import { plainError } from './cluster-reader.ts';
import type { Previous } from './previous.ts';
import { runningIn } from './running.ts';
import type { SkippedRegions } from './skipped.ts';

/** Regions that come and go between the last run and this one. */
export interface Changes {
  readonly arrived: readonly string[];
  readonly departed: readonly string[];
}

/**
 * @throws pulumi.RunError when regions come and go at once: TSB has to know a region before tier1 routes to it, and to forget one only
 * after tier1 does, which is no order for one change of the settings that list them all
 */
export function regionChanges(previous: Previous, regions: readonly { readonly name: string; readonly context: string }[], skipped: SkippedRegions = new Map()): Changes {
  const before = previous.names('kbf:index:KafkaBridgeRegion');
  const now = regions.map(({ name }) => name);
  const arrived = now.filter((name) => !before.includes(name));
  const departed = before.filter((name) => !now.includes(name) && !skipped.has(name));
  if (arrived.length > 0 && departed.length > 0) {
    const renamed = regions.flatMap(({ name, context }) => {
      const old = arrived.includes(name) ? departed.find((each) => runningIn(previous)('KafkaBridgeRegion', each).cluster === context) : undefined;
      return old === undefined ? [] : [{ name, context, old }];
    });
    const leaving = departed.filter((each) => !renamed.some(({ old }) => old === each));
    throw plainError([
      `regions: ${arrived.join(', ')} cannot come in the same run in which ${departed.join(', ')} would go; nothing was changed.`,
      ...renamed.map(keepsItsName),
      ...(leaving.length === 0 ? [] : [`Run up with all ${renamed.length > 0 ? 'others' : 'of them'} first, and then without ${leaving.join(', ')}: so no request is lost.`]),
    ].join('\n'));
  }
  return { arrived, departed };
}

/** Two regions are in two clusters, so that one cannot come in beside its old name. */
function keepsItsName({ name, context, old }: { name: string; context: string; old: string }): string {
  return `A region keeps its name as long as it is in its cluster, here ${context}: call ${name} ${old} again. Where two others are there meanwhile: take ${old} out, run up, and then put ${name} in.`;
}

/** For the way of the last change from TSB to every gateway. */
const settleMs = 5_000;

/** What is on its way when tier1 sends nothing more has this long to end, be it to a consumer or a record: neither of their bounds is always the longer. */
export function leaveMs({ routeMs, consumersMs }: Configuration['bridge']['timeouts']): number {
  return Math.max(routeMs, consumersMs) + settleMs;
}

/**
 * Resolves when no request is on its way to the regions that departed. The engine deletes what was not registered once the program has
 * ended: until then the program waits, by `kbf` and by plain `pulumi up` alike.
 * @param routed known when tier1 routes nothing to them any more
 */
export async function trafficLeft({ departed }: Changes, routed: pulumi.Output<unknown>, timeouts: Configuration['bridge']['timeouts']): Promise<void> {
  if (departed.length === 0 || pulumi.runtime.isDryRun()) return;
  await new Promise((resolve) => routed.apply(resolve));
  const ms = leaveMs(timeouts);
  await pulumi.log.info(`tier1 sends nothing to ${departed.join(', ')} any more; what is on its way there has ${Math.ceil(ms / 1_000)} s to end`);
  await delay(ms);
}
