import type { KubeConfig } from '@kubernetes/client-node';
import { ClientKubeConfig } from '../../config/client-kubeconfig.ts';
import { oneContext } from '../../config/cluster-access.ts';
import { credentialsOf } from '../../config/credentials.ts';
import type { Credentials } from '../../config/credentials.ts';
import type { ContextParts } from '../../config/kubeconfig.ts';

/** By this name of an authentication provider the client asks us. */
const provider = 'kbf';

/**
 * A context for the client of Kubernetes. Plugins and files of tokens are asked here, as everywhere else in this program: the client's own way tells a
 * plugin nothing of the cluster, waits for it without end, and does not know `tokenFile`.
 * For a web socket it has to be made anew: what it has connected one with it keeps, with the client's certificate of that time.
 */
export function clientConfig({ cluster, user }: ContextParts, credentials: Credentials = credentialsOf({ cluster, user })): KubeConfig {
  const config = new ClientKubeConfig();
  const { exec, tokenFile, token, ...rest } = user;
  if (exec === undefined && tokenFile === undefined) {
    config.loadFromString(oneContext({ cluster, user: { ...rest, token } }));
    return config;
  }
  config.loadFromString(oneContext({ cluster, user: { ...rest, 'auth-provider': { name: provider } } }));
  config.addAuthenticator({
    isAuthProvider: ({ authProvider }) => (authProvider as { name?: string } | undefined)?.name === provider,
    async applyAuthentication(_, options) {
      const given = await credentials();
      const pem = (key: string): object => (typeof given[`${key}-data`] === 'string' ? { [key === 'client-key' ? 'key' : 'cert']: Buffer.from(String(given[`${key}-data`]), 'base64') } : {});
      Object.assign(options, pem('client-certificate'), pem('client-key'));
      if (typeof given['token'] === 'string') options.headers = { ...options.headers as object, Authorization: `Bearer ${given['token']}` };
    },
  });
  return config;
}
