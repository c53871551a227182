import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { nearest } from '../near.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';

export const chartRules = [
  'The chart of an operator that the program installs, where it is a path, is there.',
  '`operators.<name>.given` names contexts of Kafka, regions or tier1, and goes with `install: true` only.',
];

/** Charts by path, which air-gapped sites have. */
export function checkCharts(configuration: Readable, directory: string): Finding[] {
  return [...charts(configuration, directory), ...given(configuration)];
}

/** Clusters in which somebody else installs it. */
function given({ operators, kafka, existingKafka, regions = [], tier1 }: Readable): Finding[] {
  const all = [...(existingKafka !== undefined ? [] : [kafka?.context]), ...regions.map((region) => region?.context), tier1?.context];
  const contexts = all.filter((context) => context !== undefined);
  return (['strimzi', 'certManager'] as const).flatMap((name) => {
    const { install, given: others = {} } = operators?.[name] ?? {};
    const path = ['operators', name, 'given'];
    if (install === false && Object.keys(others).length > 0) return [{ path, allowed: 'only with install: true: otherwise it is expected in every cluster' }];
    if (contexts.length < all.length) return [];
    return Object.keys(others).filter((context) => !contexts.includes(context)).map((context) => ({ path: [...path, context], found: 'a context of nothing here', allowed: [...new Set(contexts)].join(', '), suggestion: nearest(context, contexts) }));
  });
}

function charts({ operators }: Readable, directory: string): Finding[] {
  return (['strimzi', 'certManager'] as const).flatMap((name) => {
    const { install, chart } = operators?.[name] ?? {};
    if (install !== true || chart === undefined || /^(oci|https):/.test(chart) || existsSync(resolve(directory, chart))) return [];
    return [{ path: ['operators', name, 'chart'], allowed: `the path of a chart: ${resolve(directory, chart)} does not exist` }];
  });
}
