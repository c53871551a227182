import type { KubernetesObject } from '@kubernetes/client-node';
import type { WantedObject } from './translate/objects.ts';

interface Endpoint { readonly address: string; readonly labels?: Readonly<Record<string, string>> }
interface Subset { readonly name: string }

/**
 * What an object has to be for a while before it becomes what is wanted: a subset that routes still lead to stays, and so do the labels by
 * which it finds its endpoints. Undefined where it can become that at once.
 */
export function transitional(live: KubernetesObject | undefined, wanted: WantedObject): WantedObject | undefined {
  const before = specOf(live);
  const after = specOf(wanted);
  if (live === undefined) return undefined;
  if (wanted.kind === 'DestinationRule') {
    const names = new Set((after['subsets'] as readonly Subset[] | undefined)?.map(({ name }) => name));
    const leaving = ((before['subsets'] ?? []) as readonly Subset[]).filter(({ name }) => !names.has(name));
    return leaving.length === 0 ? undefined : withSpec(wanted, { ...after, subsets: [...(after['subsets'] as readonly Subset[] | undefined) ?? [], ...leaving] });
  }
  if (wanted.kind === 'ServiceEntry') {
    const known = (before['endpoints'] ?? []) as readonly Endpoint[];
    const endpoints = ((after['endpoints'] ?? []) as readonly Endpoint[]).map((endpoint) => {
      const labels = known.find(({ address }) => address === endpoint.address)?.labels ?? {};
      return Object.keys(labels).every((label) => label in (endpoint.labels ?? {})) ? endpoint : { ...endpoint, labels: { ...labels, ...endpoint.labels } };
    });
    return endpoints.every((endpoint, index) => endpoint === (after['endpoints'] as readonly Endpoint[])[index]) ? undefined : withSpec(wanted, { ...after, endpoints });
  }
  return undefined;
}

function specOf(object: KubernetesObject | undefined): Readonly<Record<string, unknown>> {
  return (object as { spec?: Record<string, unknown> } | undefined)?.spec ?? {};
}

function withSpec(object: WantedObject, spec: object): WantedObject {
  return { ...object, spec } as WantedObject;
}
