import { ApiException, ApisApi, CustomObjectsApi, KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node';

import type { LiveObject, ObjectReference, ServedKinds } from './cluster-reader.ts';

/** How a cluster is reached: a file with its context, or the text of one, where a cloud says it. Neither holds more in the state than it does here. */
export type Kubeconfig = { readonly file: string } | { readonly text: Promise<string> };

/** One cluster's API server. */
export interface ClusterClient {
  /** undefined if there is no such object. */
  read(reference: ObjectReference): Promise<LiveObject | undefined>;
  served(group: string): Promise<ServedKinds>;
}

export function clientOf(kubeconfig: Kubeconfig, context: string): ClusterClient {
  let loaded: Promise<KubeConfig> | undefined;
  let objects: Promise<KubernetesObjectApi> | undefined;
  const config = (): Promise<KubeConfig> => (loaded ??= load(kubeconfig, context));
  return {
    read: async ({ apiVersion, kind, namespace, name }) => {
      objects ??= config().then((known) => KubernetesObjectApi.makeApiClient(known));
      try {
        return (await (await objects).read({ apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } })) as LiveObject;
      } catch (error) {
        if (error instanceof ApiException && error.code === 404) return undefined;
        throw error;
      }
    },
    served: async (group) => servedKinds(await config(), group),
  };
}

/** Why a request failed, in one line: what lies under it where that says more than the request itself (`fetch failed`). */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [line = ''] = error.message.split('\n').filter((each) => each !== '');
  const cause = error.cause instanceof Error ? reasonOf(error.cause) : '';
  return [line, cause].filter((each) => each !== '').join(': ') || error.name;
}

async function load(kubeconfig: Kubeconfig, context: string): Promise<KubeConfig> {
  const config = new KubeConfig();
  if ('file' in kubeconfig) config.loadFromFile(kubeconfig.file);
  else config.loadFromString(await kubeconfig.text);
  config.setCurrentContext(context);
  return config;
}

/** By discovery, which every account may do: reading definitions of resources is a right that not all have. */
async function servedKinds(config: KubeConfig, group: string): Promise<ServedKinds> {
  const { groups } = await config.makeApiClient(ApisApi).getAPIVersions();
  const versions = groups.find(({ name }) => name === group)?.versions ?? [];
  const api = config.makeApiClient(CustomObjectsApi);
  const kinds = versions.map(async ({ version }): Promise<[string, string[]]> => {
    const { resources } = await api.getAPIResources({ group, version });
    return [version, resources.filter(({ name }) => !name.includes('/')).map(({ kind }) => kind)];
  });
  return new Map(await Promise.all(kinds));
}
