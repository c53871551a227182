import { parse } from 'yaml';

import type { Cluster } from '../cluster.ts';
import type { IstioObjects } from './extract.ts';
import { at, list, text } from './raw.ts';
import type { RawObject } from './raw.ts';

/** Where Istio's control plane keeps its mesh configuration, and its root namespace unless that names another. */
const istioNamespace = 'istio-system';

/** Istio's settings for all proxies of a revision; none of its own where the default one has no such ConfigMap. Throws where another one has none: nobody knows what its proxies were told. */
export async function meshConfiguration(cluster: Cluster, revision = 'default'): Promise<unknown> {
  const name = revision === 'default' ? 'istio' : `istio-${revision}`;
  const found = await cluster.askFor(`ConfigMap ${istioNamespace}/${name} cannot be read`, () => cluster.core.readNamespacedConfigMap({ namespace: istioNamespace, name }));
  if (found === undefined && revision !== 'default') throw new Error(`cluster ${cluster.context} has no ConfigMap ${istioNamespace}/${name} of the mesh's revision ${revision}`);
  return parse(found?.data?.['mesh'] ?? '') as unknown;
}

/** What its root namespace has for proxies of another one: rules and routes as far as they are exported to it, filters in any case. Nothing where that is the root namespace itself. */
export async function rootObjects(cluster: Cluster, mesh: unknown, namespace: string): Promise<IstioObjects> {
  const root = text(at(mesh, 'rootNamespace')) ?? istioNamespace;
  if (root === namespace) return { destinationRules: [], virtualServices: [], envoyFilters: [] };
  const { destinationRules, virtualServices, envoyFilters } = await istioObjects(cluster, root);
  return { destinationRules: destinationRules.filter(isExportedTo(namespace)), virtualServices: virtualServices.filter(isExportedTo(namespace)), envoyFilters };
}

/** The rules that another namespace has for proxies of this one. Throws where they cannot be read. */
export async function exportedRules(cluster: Cluster, from: string, namespace: string): Promise<RawObject[]> {
  return (await listed(cluster, from, 'destinationrules', ['v1', 'v1beta1'])).filter(isExportedTo(namespace));
}

function isExportedTo(namespace: string): (object: RawObject) => boolean {
  return ({ spec }) => {
    const exportedTo = list(at(spec, 'exportTo'));
    return exportedTo.length === 0 || exportedTo.includes('*') || exportedTo.includes(namespace);
  };
}

/** Throws where one of the kinds cannot be read. */
export async function istioObjects(cluster: Cluster, namespace: string): Promise<IstioObjects> {
  const [destinationRules, virtualServices, envoyFilters] = await Promise.all([
    listed(cluster, namespace, 'destinationrules', ['v1', 'v1beta1']), listed(cluster, namespace, 'virtualservices', ['v1', 'v1beta1']), listed(cluster, namespace, 'envoyfilters', ['v1alpha3']),
  ]);
  return { destinationRules, virtualServices, envoyFilters };
}

async function listed(cluster: Cluster, namespace: string, plural: string, versions: readonly string[]): Promise<RawObject[]> {
  for (const version of versions) {
    const found = await cluster.askFor(`${plural} of namespace ${namespace} cannot be read`, () =>
      cluster.custom.listNamespacedCustomObject({ group: 'networking.istio.io', version, namespace, plural }));
    if (found !== undefined) return (found as { items: RawObject[] }).items;
  }
  throw new Error(`cluster ${cluster.context} does not know ${plural} of networking.istio.io`);
}
