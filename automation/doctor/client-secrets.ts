import { clientSecrets, wrongWith } from '../../components/client-secrets.ts';
import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';

/** Whether the Secrets with which bridges say to Kafka who they are, are in every region, and what Kafka knows them by beside it. */
export async function judgeClientSecrets(look: Look): Promise<readonly Finding[]> {
  const all = await Promise.all(clientSecrets(look.configuration).map(async ({ region = 'Kafka', context, path, namespace, name, entries }) => {
    const check = new Check('bridge Secret', region);
    const api = apiOf(look, context);
    if (api === undefined) return [check.unchecked(notAnswering)];
    return await check.look(async () => {
      const secret = await api.find<{ data?: Record<string, string> }>(`/api/v1/namespaces/${namespace}/secrets/${name}`);
      const remedy = `Make it first: ${path} says that it exists (docs/authentication.md).`;
      if (secret === undefined) return check.fault(`there is no Secret ${namespace}/${name}`, { remedy });
      const wrong = wrongWith(entries, secret.data ?? {});
      return wrong !== undefined ? check.fault(`Secret ${namespace}/${name} ${wrong}`, { remedy }) : check.ok(`Secret ${namespace}/${name} has ${entries.join(' and ')}`);
    });
  }));
  return all.flat();
}
