import type { ApiServer } from './apiServer.ts';

/** An entry of a Secret as text; undefined where there is no such Secret, or no such entry in it. */
export async function entryOf(api: ApiServer, namespace: string, { name, entry }: { name: string; entry: string }): Promise<string | undefined> {
  const secret = await api.find<{ data?: Record<string, string> }>(`/api/v1/namespaces/${namespace}/secrets/${name}`);
  const encoded = secret?.data?.[entry];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}
