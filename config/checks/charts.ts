import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';

export const chartRules = ['The chart of an operator that the program installs, where it is a path, is there.'];

/** Charts by path, which air-gapped sites have. */
export function checkCharts({ operators }: Readable, directory: string): Finding[] {
  return (['strimzi', 'certManager'] as const).flatMap((name) => {
    const { install, chart } = operators?.[name] ?? {};
    if (install !== true || chart === undefined || /^(oci|https):/.test(chart) || existsSync(resolve(directory, chart))) return [];
    return [{ path: ['operators', name, 'chart'], allowed: `the path of a chart: ${resolve(directory, chart)} does not exist` }];
  });
}
