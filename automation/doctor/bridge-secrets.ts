import { entriesFor } from '../../components/bridge-secret.ts';
import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';

/** Whether the Secret with which bridges say to Kafka who they are is in every region. */
export async function judgeBridgeSecrets(look: Look): Promise<readonly Finding[]> {
  const { regions, bridge: { namespace, authentication } } = look.configuration;
  if (authentication === undefined) return [];
  const { name } = authentication.secret;
  const all = await Promise.all(regions.map(async ({ name: region, context }) => {
    const check = new Check('bridge Secret', region);
    const api = apiOf(look, context);
    if (api === undefined) return [check.unchecked(notAnswering)];
    return await check.look(async () => {
      const secret = await api.find<{ data?: Record<string, string> }>(`/api/v1/namespaces/${namespace}/secrets/${name}`);
      const remedy = 'Make it first, in every region: bridge.authentication says that it exists.';
      if (secret === undefined) return check.fault(`there is no Secret ${namespace}/${name}`, { remedy });
      const missing = entriesFor(authentication).filter((entry) => !secret.data?.[entry]);
      return missing.length > 0 ? check.fault(`Secret ${namespace}/${name} has no entry ${missing.join(', ')}`, { remedy }) : check.ok(`Secret ${namespace}/${name} has ${entriesFor(authentication).join(' and ')}`);
    });
  }));
  return all.flat();
}
