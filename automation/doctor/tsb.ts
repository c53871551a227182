import type { Configuration } from '../../config/schema.ts';
import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';

interface ControlPlane {
  readonly spec?: { readonly managementPlane?: { readonly clusterName?: string } };
}

const controlPlane = '/apis/install.tetrate.io/v1alpha1/namespaces/istio-system/controlplanes/controlplane';

/** Whether clusters are called in the settings what TSB calls them: by another name, requests go to another cluster, or nowhere. */
export async function judgeTsbNames(look: Look): Promise<readonly Finding[]> {
  const all = await Promise.all(placesOf(look.configuration).map(async ({ path, context, tsbCluster }) => {
    const check = new Check('TSB name', context);
    const api = apiOf(look, context);
    if (api === undefined) return [check.unchecked(notAnswering)];
    return await check.look(async () => {
      const name = (await api.find<ControlPlane>(controlPlane))?.spec?.managementPlane?.clusterName;
      if (name === undefined) return unnamed(check, path, tsbCluster);
      if (tsbCluster === undefined || tsbCluster === name) return check.ok(`is ${name} in its ControlPlane${tsbCluster === undefined ? '' : ` and in ${path}`}`);
      return check.fault(`is ${name} in its ControlPlane, and ${tsbCluster} in ${path}`, { remedy: `Set ${path} to ${name} or leave it out; if that is another cluster, its context is wrong.` });
    });
  }));
  return all.flat();
}

function unnamed(check: Check, path: string, tsbCluster: string | undefined): Finding {
  const none = 'there is no ControlPlane istio-system/controlplane with a cluster name';
  if (tsbCluster === undefined) return check.fault(`${none}, and ${path} is not set`, { remedy: `Onboard the cluster to TSB, or set ${path} (tctl get clusters).` });
  return check.warning(`${none}, so ${path} (${tsbCluster}) cannot be compared`, { remedy: 'Is the cluster onboarded to TSB?' });
}

function placesOf({ regions, tier1 }: Configuration): { path: string; context: string; tsbCluster: string | undefined }[] {
  return [
    ...regions.map(({ context, tsbCluster }, index) => ({ path: `regions[${String(index)}].tsbCluster`, context, tsbCluster })),
    { path: 'tier1.tsbCluster', context: tier1.context, tsbCluster: tier1.tsbCluster },
  ];
}
