import { readFileSync } from 'node:fs';
import * as https from 'node:https';

import type { KubeConfig } from '@kubernetes/client-node';

import { type Credentials, credentialsOf } from './credentials.ts';
import { type ContextParts, type KubeconfigSource, reachedContext } from './kubeconfig.ts';

/** One cluster's API server, and what a request by node:http or node:https needs to be let in. */
export interface ClusterAccess {
  /** Without a slash at its end. */
  readonly server: string;
  /** For each request anew: what a plugin gives has an end. A signal ends the plugin. */
  options(signal?: AbortSignal): Promise<https.RequestOptions>;
  /** As of `Credentials`: false where a request that was not let in (401) is not to be sent again. */
  readonly forget: Credentials['forget'];
}

/**
 * How a context's cluster is reached; undefined where the kubeconfig has no such context with a cluster and a user.
 * Certificates, tokens and what plugins give are taken as they are. Providers and proxies are left to @kubernetes/client-node, which knows them
 * all, and takes half a second and 60 MiB to load.
 * @throws if there is no such file, or it is no kubeconfig
 */
export function accessOf(source: KubeconfigSource, context: string): ClusterAccess | undefined {
  const parts = reachedContext(source, context);
  if (parts === undefined) return undefined;
  const { cluster } = parts;
  const server = String(cluster['server']).replace(/\/$/, '');
  const credentials = credentialsOf(parts);
  // Connections are kept for as long as the credentials are the same.
  let last: { readonly of: string; readonly options: () => Promise<https.RequestOptions> } | undefined;
  return {
    server,
    forget: credentials.forget,
    async options(signal) {
      const user = await credentials(signal);
      const of = JSON.stringify(user);
      if (last?.of !== of) last = { of, options: isPlain({ cluster, user }, server) ? plainOptions({ cluster, user }) : otherOptions({ cluster, user }) };
      return await last.options();
    },
  };
}

const plainCluster = ['server', 'certificate-authority', 'certificate-authority-data', 'tls-server-name', 'insecure-skip-tls-verify', 'extensions'];
const plainUser = ['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data', 'token'];

function isPlain({ cluster, user }: ContextParts, server: string): boolean {
  return server.startsWith('https://') && Object.keys(cluster).every((key) => plainCluster.includes(key)) && Object.keys(user).every((key) => plainUser.includes(key));
}

/** A connection that nobody used for so long may be closed at its other end. */
const idleMs = 10_000;

function plainOptions({ cluster, user }: ContextParts): ClusterAccess['options'] {
  const pem = (from: ContextParts['cluster'], key: string): Buffer | undefined => {
    const [data, path] = [from[`${key}-data`], from[key]];
    if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64');
    return typeof path === 'string' && path !== '' ? readFileSync(path) : undefined;
  };
  const defined = (options: Record<string, unknown>): https.AgentOptions => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const options = {
    agent: new https.Agent({
      ...defined({
        ca: pem(cluster, 'certificate-authority'), cert: pem(user, 'client-certificate'), key: pem(user, 'client-key'), servername: cluster['tls-server-name'],
        rejectUnauthorized: cluster['insecure-skip-tls-verify'] === true ? false : undefined, allowPartialTrustChain: true,
      }),
      keepAlive: true, timeout: idleMs,
    }),
    ...(typeof user['token'] === 'string' && user['token'] !== '' ? { headers: { authorization: `Bearer ${user['token']}` } } : {}),
  };
  return () => Promise.resolve(options);
}

function otherOptions(parts: ContextParts): ClusterAccess['options'] {
  let loaded: Promise<KubeConfig> | undefined;
  const load = async (): Promise<KubeConfig> => {
    const { ClientKubeConfig } = await import('./client-kubeconfig.ts');
    const config = new ClientKubeConfig();
    config.loadFromString(oneContext(parts));
    return config;
  };
  return async () => {
    // A proxy that says nothing must not keep this process.
    const options: https.RequestOptions = { timeout: idleMs };
    await (await (loaded ??= load())).applyToHTTPSOptions(options);
    return options;
  };
}

/** The text of a kubeconfig that has one context, its current one. */
export function oneContext({ cluster, user }: ContextParts): string {
  const name = 'it';
  return JSON.stringify({ clusters: [{ name, cluster }], users: [{ name, user }], contexts: [{ name, context: { cluster: name, user: name } }], 'current-context': name });
}
