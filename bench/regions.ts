/** The program alone with many regions, on mocks of the engine: `regions.ts N` prints what a process of its own took. */
import { execa } from 'execa';
import { fileURLToPath } from 'node:url';

import { render } from '../automation/render/index.ts';
import { parseConfiguration } from '../config/configuration.ts';

export interface Rendered { readonly count: number; readonly objects: number; readonly cpuMs: number; readonly peakMiB: number }

/** Measures `count` regions in a process of its own. */
export async function fresh(count: number, cancelSignal: AbortSignal): Promise<Rendered> {
  const { stdout } = await execa(process.execPath, [fileURLToPath(import.meta.url), String(count)], { cancelSignal });
  return JSON.parse(stdout) as Rendered;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const count = Number(process.argv[2]);
  const names = Array.from({ length: count }, (_, index) => `r${String(index + 1)}`);
  const configuration = parseConfiguration({
    hostname: 'kafka-bridge.example', kubeconfig: '/nowhere/kubeconfig', kafka: { context: 'kafka', domain: 'kafka.example' },
    regions: names.map((name) => ({ name, context: name, tsbCluster: name, locality: { region: name } })),
    tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka' }, tier1: { context: 'central', tsbCluster: 'central' },
  }, '/', 'unchecked');
  const before = process.cpuUsage();
  const { files } = await render(configuration, 'bench');
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ count, objects: files.length, cpuMs: (user + system) / 1000, peakMiB: process.resourceUsage().maxRSS / 1024 } satisfies Rendered));
}
