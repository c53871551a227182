import { readFileSync } from 'node:fs';
import * as https from 'node:https';
import { dirname, resolve } from 'node:path';

import { completeContexts, type ContextParts, type KubeconfigSource } from './kubeconfig.ts';

/** One cluster's API server, and what a request by node:http or node:https needs to be let in. */
export interface ClusterAccess {
  /** Without a slash at its end. */
  readonly server: string;
  /** For each request anew: what a plugin gives has an end. */
  options(): Promise<https.RequestOptions>;
}

/**
 * How a context's cluster is reached; undefined where the kubeconfig has no such context with a cluster and a user.
 * Certificates and tokens that stand in it are taken as they are. Plugins, providers and proxies are left to @kubernetes/client-node, which knows them
 * all, and takes half a second and 60 MiB to load.
 * @throws if there is no such file, or it is no kubeconfig
 */
export function accessOf(source: KubeconfigSource, context: string): ClusterAccess | undefined {
  const parts = completeContexts(source).get(context);
  if (parts === undefined) return undefined;
  const server = String(parts.cluster['server']).replace(/\/$/, '');
  return { server, options: isPlain(parts, server) ? plainOptions(parts, source) : otherOptions(source, context) };
}

const plainCluster = ['server', 'certificate-authority', 'certificate-authority-data', 'tls-server-name', 'insecure-skip-tls-verify', 'extensions'];
const plainUser = ['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data', 'token'];

function isPlain({ cluster, user }: ContextParts, server: string): boolean {
  return server.startsWith('https://') && Object.keys(cluster).every((key) => plainCluster.includes(key)) && Object.keys(user).every((key) => plainUser.includes(key));
}

/** A connection that nobody used for so long may be closed at its other end. */
const idleMs = 10_000;

function plainOptions({ cluster, user }: ContextParts, source: KubeconfigSource): ClusterAccess['options'] {
  const pem = (from: ContextParts['cluster'], key: string): Buffer | undefined => {
    const [data, path] = [from[`${key}-data`], from[key]];
    if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64');
    return typeof path === 'string' && path !== '' ? readFileSync('file' in source ? resolve(dirname(source.file), path) : path) : undefined;
  };
  const defined = (options: Record<string, unknown>): https.AgentOptions => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  let options: https.RequestOptions | undefined;
  return async () => options ??= await Promise.resolve({
    agent: new https.Agent({
      ...defined({
        ca: pem(cluster, 'certificate-authority'), cert: pem(user, 'client-certificate'), key: pem(user, 'client-key'), servername: cluster['tls-server-name'],
        rejectUnauthorized: cluster['insecure-skip-tls-verify'] === true ? false : undefined,
      }),
      keepAlive: true, timeout: idleMs,
    }),
    ...(typeof user['token'] === 'string' && user['token'] !== '' ? { headers: { authorization: `Bearer ${user['token']}` } } : {}),
  });
}

function otherOptions(source: KubeconfigSource, context: string): ClusterAccess['options'] {
  let loaded: Promise<{ applyToHTTPSOptions(options: https.RequestOptions): Promise<void> }> | undefined;
  const load = async () => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    if ('file' in source) config.loadFromFile(source.file);
    else config.loadFromString(source.text);
    config.setCurrentContext(context);
    return config;
  };
  return async () => {
    const options: https.RequestOptions = {};
    await (await (loaded ??= load())).applyToHTTPSOptions(options);
    return options;
  };
}
