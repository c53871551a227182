import { clientSecrets, type LiveSecret, wrongWith } from '../../components/client-secrets.ts';
import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';

/** Whether the Secrets with which bridges say to Kafka who they are, are in every region, and what Kafka knows them by beside it. */
export async function judgeClientSecrets(look: Look): Promise<readonly Finding[]> {
  const all = await Promise.all(clientSecrets(look.configuration).map(async (secret) => {
    const { region = 'Kafka', context, path, namespace, name, entries } = secret;
    const check = new Check('bridge Secret', region);
    const api = apiOf(look, context);
    if (api === undefined) return [check.unchecked(notAnswering)];
    return await check.look(async () => {
      const found = await api.find<LiveSecret>(`/api/v1/namespaces/${namespace}/secrets/${name}`);
      const remedy = `Make it first: ${path} says that it exists (docs/authentication.md).`;
      if (found === undefined) return check.fault(`there is no Secret ${namespace}/${name}`, { remedy });
      const wrong = wrongWith(secret, found);
      return wrong !== undefined ? check.fault(`Secret ${namespace}/${name} ${wrong}`, { remedy: 'See docs/authentication.md.' }) : check.ok(`Secret ${namespace}/${name} has ${entries.join(' and ')}`);
    });
  }));
  return all.flat();
}
