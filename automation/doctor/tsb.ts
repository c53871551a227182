import { tsbNameProblems, withTsbNames } from '../../config/checks/tsb-names.ts';
import type { Configuration } from '../../config/schema.ts';
import { Check, faultOf, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';

interface ControlPlane {
  readonly spec?: { readonly managementPlane?: { readonly clusterName?: string } };
}

const controlPlane = '/apis/install.tetrate.io/v1alpha1/namespaces/istio-system/controlplanes/controlplane';

/**
 * Whether clusters are called in the settings what TSB calls them: by another name, requests go to another cluster, or nowhere. And whether names that the settings leave to the
 * clusters fit the rest of them.
 * @returns also the settings with the names that were read
 */
export async function judgeTsbNames(look: Look): Promise<{ readonly findings: readonly Finding[]; readonly configuration: Configuration }> {
  const { configuration } = look;
  const [regions, tier1] = await Promise.all([
    Promise.all(configuration.regions.map((region, index) => judgeName(look, region, `regions[${String(index)}].tsbCluster`))),
    judgeName(look, configuration.tier1, 'tier1.tsbCluster'),
  ]);
  const names = { regions: regions.map(({ name }) => name), tier1: tier1.name };
  const misfits = tsbNameProblems(configuration, names).map((problem) => faultOf(new Check('TSB name', 'settings'), problem));
  return { findings: [...[...regions, tier1].flatMap(({ findings }) => findings), ...misfits], configuration: withTsbNames(configuration, names) };
}

async function judgeName(look: Look, { context, tsbCluster }: { context: string; tsbCluster?: string | undefined }, path: string): Promise<{ readonly findings: readonly Finding[]; readonly name?: string | undefined }> {
  const check = new Check('TSB name', context);
  const api = apiOf(look, context);
  if (api === undefined) return { findings: [check.unchecked(notAnswering)] };
  let name: string | undefined;
  const findings = await check.look(async () => {
    name = (await api.find<ControlPlane>(controlPlane))?.spec?.managementPlane?.clusterName;
    if (name === undefined) return unnamed(check, path, tsbCluster);
    if (tsbCluster === undefined || tsbCluster === name) return check.ok(`is ${name} in its ControlPlane${tsbCluster === undefined ? '' : ` and in ${path}`}`);
    return check.fault(`is ${name} in its ControlPlane, and ${tsbCluster} in ${path}`, { remedy: `Set ${path} to ${name} or leave it out; if that is another cluster, its context is wrong.` });
  });
  return { findings, name };
}

function unnamed(check: Check, path: string, tsbCluster: string | undefined): Finding {
  const none = 'there is no ControlPlane istio-system/controlplane with a cluster name';
  if (tsbCluster === undefined) return check.fault(`${none}, and ${path} is not set`, { remedy: `Onboard the cluster to TSB, or set ${path} (tctl get clusters).` });
  return check.warning(`${none}, so ${path} (${tsbCluster}) cannot be compared`, { remedy: 'Is the cluster onboarded to TSB?' });
}
