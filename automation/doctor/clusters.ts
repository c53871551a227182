import type { Configuration } from '../../config/schema.ts';
import { shellWord } from '../../config/shell-word.ts';
import { firstLineOf } from '../../errors.ts';
import { probeCluster } from '../clusterProbe.ts';
import type { Answer } from '../clusterProbe.ts';
import { isText } from '../kubeconfigs.ts';
import type { UsedCluster } from '../usedClusters.ts';
import { clustersInSettings } from '../usedClusters.ts';
import { ApiServer, type Reply } from './apiServer.ts';
import { endingOf, until } from './ending.ts';
import { Check, type Finding } from './finding.ts';
import { kubeconfigFromGoogle } from './gke.ts';
import { judgeKubeconfig } from './kubeconfig.ts';

/** A cluster, and what the settings have in it. */
export interface Cluster extends UsedCluster {
  /** Undefined where it does not answer, or refuses; a finding has said why. */
  readonly api: ApiServer | undefined;
  /** Its clock against ours, ms; undefined where it does not say. */
  readonly skewMs: number | undefined;
}

/** A cluster, and what was found on the way to it. */
interface Opened {
  readonly cluster: Cluster;
  readonly findings: readonly Finding[];
}

/** Every cluster of the settings, asked at the same time. */
export async function openClusters(configuration: Configuration): Promise<{ clusters: readonly Cluster[]; findings: readonly Finding[] }> {
  const opened = await Promise.all(clustersInSettings(configuration).map((used) => open(used, configuration)));
  return { clusters: opened.map(({ cluster }) => cluster), findings: opened.flatMap(({ findings }) => findings) };
}

async function open(used: UsedCluster, { gcp }: Configuration): Promise<Opened> {
  const { context } = used;
  const reach = new Check('reachable', context);
  const closed = (...findings: Finding[]): Opened => ({ cluster: { ...used, api: undefined, skewMs: undefined }, findings });

  const kubeconfig = used.kubeconfig ?? await kubeconfigFromGoogle(context, gcp ?? { project: '', clusters: {} });
  if (typeof kubeconfig !== 'string') return closed(kubeconfig, reach.unchecked('there is no kubeconfig for it'));
  const credentials = await judgeKubeconfig({ context, kubeconfig });
  // One that has ended is tried all the same: this machine's clock may be what is wrong.
  if (credentials.verdict === 'fault' && !credentials.found.includes('client certificate')) return closed(credentials, reach.unchecked('its kubeconfig cannot be used'));
  const answer = await probeCluster({ context, kubeconfig });
  if (answer.state !== 'answers') return closed(credentials, silent(reach, answer, { context, kubeconfig }));
  try {
    const api = await ApiServer.open({ context, kubeconfig });
    const version = await api.ask('/version');
    return { cluster: { ...used, api, skewMs: skewOf(version) }, findings: [credentials, answering(reach, answer, version)] };
  } catch (error) {
    return closed(credentials, reach.fault(`${answer.address} stopped answering: ${firstLineOf(error)}`, { remedy: 'Run this again.' }));
  }
}

/** Its own certificate ends for everybody at once. */
function answering(reach: Check, { address }: Answer, version: Reply): Finding {
  const found = `${address} answers, ${versionOf(version)}`;
  const { certificate } = version;
  if (certificate === undefined || endingOf(certificate) === 'later') return reach.ok(found);
  return reach.warning(`${found}, with a certificate that is good ${until(certificate)}`, { remedy: 'Renew it: without it nobody reaches the cluster.' });
}

function silent(reach: Check, { state, address, detail }: Answer, { context, kubeconfig }: { context: string; kubeconfig: string }): Finding {
  const remedy = {
    unreachable: 'Does it run, and does this machine get there (VPN, proxy, firewall)?',
    refused: 'Renew the credentials in its kubeconfig.',
    unusable: 'Correct its kubeconfig.',
    busy: 'Run this again.',
  };
  const said = { unreachable: 'does not answer', refused: 'refuses the credentials', unusable: 'cannot be used', busy: 'has too much to do' };
  if (state === 'answers') return reach.ok(address);
  const file = isText(kubeconfig) ? '' : ` kubectl --kubeconfig ${shellWord(kubeconfig)} --context ${shellWord(context)} version says more.`;
  return reach.fault(`${address} ${said[state]}: ${detail}`, { remedy: `${remedy[state]}${file}` });
}

function versionOf({ body }: Reply): string {
  const { gitVersion } = (typeof body === 'object' && body !== null ? body : {}) as { gitVersion?: string };
  return gitVersion === undefined ? 'and does not say which Kubernetes it is' : `Kubernetes ${gitVersion}`;
}

/** Servers say whole seconds: on average it is half a second later. */
function skewOf({ clock }: Reply): number | undefined {
  return clock === undefined ? undefined : clock.theirs + 500 - clock.ours;
}
