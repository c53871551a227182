import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../../errors.ts';
import { writeInPlace } from '../agent/in-place.ts';
import { SilentPods } from '../agent/silence.ts';
import type { SandboxState } from '../machine/state.ts';
import { BalancerAddresses } from './addresses.ts';
import { ClusterBalancer } from './cluster-balancer.ts';
import { hostsText } from './host-names.ts';
import { Rewrite } from './rewrite.ts';

/** The Service load balancer and host names of all of a sandbox's clusters. It runs in the first network namespace of the sandbox's tree. */
async function main(): Promise<void> {
  const { values: { dir } } = parseArgs({ options: { dir: { type: 'string' } } });
  if (dir === undefined) throw new UserError('--dir is missing', { exitCode: 2, remedy: 'Say which sandbox directory to serve: --dir DIR.' });
  const { clusters } = JSON.parse(await readFile(join(dir, 'sandbox.json'), 'utf8')) as SandboxState;
  const addresses = new BalancerAddresses(join(dir, 'loadbalancer.json'));
  let synced = false;
  const names = new Rewrite(() => { writeNames(dir, balancers); });
  const namesChanged = () => { if (synced) names.changed(); };
  // It ends by a signal, which takes everything along: nothing is aborted before.
  const { signal } = new AbortController();
  const balancers = clusters.map((cluster) => new ClusterBalancer({ dir, cluster, addresses, namesChanged, signal }));
  new SilentPods().watch((ips) => { for (const balancer of balancers) balancer.setSilent(ips); }, signal);
  await Promise.all(balancers.map((balancer) => balancer.start()));
  // Not before all are known: names that were there must not go while they are being learned again.
  synced = true;
  writeNames(dir, balancers);
  console.log('ready');
}

function writeNames(dir: string, balancers: readonly ClusterBalancer[]): void {
  const global = balancers.flatMap((balancer) => balancer.publishedNames());
  writeInPlace(join(dir, 'hosts'), hostsText(global));
  for (const balancer of balancers) {
    writeInPlace(join(dir, 'clusters', balancer.cluster.name, 'hosts'), hostsText([...global, ...balancer.clusterNames(global)]));
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? [error.message, error.remedy].filter(Boolean).join('\n') : error);
  process.exit(error instanceof UserError ? error.exitCode : 1);
});
