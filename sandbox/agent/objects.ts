import type { Api } from './api.ts';
import { ApiError } from './api.ts';
import type { Stored } from './types.ts';

export type DataKind = 'configmaps' | 'secrets';

type DataObject = Stored & { data?: Record<string, string>; binaryData?: Record<string, string> };

/** The decoded content of a ConfigMap or Secret as it is now; undefined when there is none. */
export async function fetchData(api: Api, kind: DataKind, namespace: string, name: string): Promise<Record<string, Buffer> | undefined> {
  try {
    const { data = {}, binaryData = {} } = await api.call<DataObject>('GET', `/api/v1/namespaces/${namespace}/${kind}/${encodeURIComponent(name)}`);
    const encoded = kind === 'secrets' ? data : binaryData;
    return {
      ...Object.fromEntries(kind === 'secrets' ? [] : Object.entries(data).map(([key, text]) => [key, Buffer.from(text)])),
      ...Object.fromEntries(Object.entries(encoded).map(([key, text]) => [key, Buffer.from(text, 'base64')])),
    };
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined;
    throw error;
  }
}

/** A token for the pod's service account that dies with the pod. @returns The token and when it should be renewed (80 % of its life). */
export async function requestToken(api: Api, pod: Stored & { spec: { serviceAccountName?: string } }, audience: string | undefined, seconds: number): Promise<{ token: string; renewAt: number }> {
  const { namespace = 'default', name, uid } = pod.metadata;
  const account = pod.spec.serviceAccountName ?? 'default';
  const answer = await api.call<{ status: { token: string; expirationTimestamp: string } }>('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
    body: {
      apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest',
      spec: { audiences: audience === undefined ? [] : [audience], expirationSeconds: seconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
    },
  });
  const left = Date.parse(answer.status.expirationTimestamp) - Date.now();
  return { token: answer.status.token, renewAt: Date.now() + left * 0.8 };
}
