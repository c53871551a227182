import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { asRecord } from './text.ts';
import type { ContextParts } from './kubeconfig.ts';

export interface Credentials {
  /** Gives a user of a kubeconfig with what lets it in: a plugin's or a file's answer in place of the plugin and the file. A signal ends the plugin. */
  (signal?: AbortSignal): Promise<ContextParts['user']>;
  /**
   * Forgets what a plugin was asked for before `sentMs` (`performance.now()`), when a request was sent that the API server did not let in (401): whatever end it named, it has ended, and the
   * plugin is asked again. False where there is no plugin, and nothing else to try.
   */
  forget(sentMs: number): boolean;
}

/** How long a plugin may take: one that signs a person in by a browser takes a while. */
const limitMs = 60_000;

/** The credentials of a context. What a plugin gave is kept until its end, or until it is forgotten; a file is read each time, as its token is renewed by others. */
export function credentialsOf({ cluster, user }: ContextParts, limit = limitMs): Credentials {
  const { exec, tokenFile, ...rest } = user;
  if (exec !== undefined && exec !== null) {
    let given: Promise<Given> | undefined;
    let askedMs = 0;
    const current = async (signal?: AbortSignal): Promise<ContextParts['user']> => {
      // Requests at one time wait for one plugin; what failed is asked again by the next.
      for (;;) {
        const last = given;
        const known = await last?.catch(() => undefined);
        if (given !== last) continue;
        if (known !== undefined && known.endsAt > Date.now()) return { ...rest, ...known.credentials };
        askedMs = performance.now();
        const next = ask(asRecord(exec), cluster, { limit, signal });
        given = next;
        next.catch(() => { if (given === next) given = undefined; });
        return { ...rest, ...(await next).credentials };
      }
    };
    return Object.assign(current, {
      forget(sentMs: number) {
        // Requests at one time are refused at one time: the first of them has the plugin asked, for all.
        if (askedMs <= sentMs) given = undefined;
        return true;
      },
    });
  }
  const forget = (): boolean => false;
  if (typeof tokenFile !== 'string' || tokenFile === '') return Object.assign(() => Promise.resolve(user), { forget });
  return Object.assign(async () => await Promise.resolve({ ...rest, token: readFileSync(tokenFile, 'utf8').trim() }), { forget });
}

interface Given {
  readonly credentials: ContextParts['user'];
  readonly endsAt: number;
}

/** Runs a plugin as kubectl does: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
async function ask(exec: Record<string, unknown>, cluster: ContextParts['cluster'], { limit, signal }: { limit: number; signal: AbortSignal | undefined }): Promise<Given> {
  const command = String(exec['command']);
  const own = listOf(exec['env']).map(asRecord).map(({ name, value }): [string, string] => [String(name), String(value)]);
  const env = { ...process.env, ...Object.fromEntries(own), KUBERNETES_EXEC_INFO: JSON.stringify(infoFor(exec, cluster)) };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const plugin = execFile(command, listOf(exec['args']).map(String), { env, timeout: limit, killSignal: 'SIGKILL', ...(signal === undefined ? {} : { signal }) }, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else if (error.killed === true && signal?.aborted !== true) reject(new Error(`${command} has not given any within ${String(limit / 1_000)} s`));
    else if (error.code === 'ENOENT') reject(new Error([`there is no program ${command}`, exec['installHint']].filter((part) => typeof part === 'string').join(': ')));
    // What Node says of it has all of its arguments, in which secrets may be.
    else reject(new Error(`${command}: ${stderr.trim() === '' ? `it ended with ${error.signal ?? `exit code ${String(error.code)}`}` : stderr.trim()}`));
  });
  // Nobody is there to answer its questions.
  plugin.stdin?.end();
  return givenIn(command, await promise);
}

function givenIn(command: string, answer: string): Given {
  let status: Record<string, unknown>;
  try {
    status = asRecord(asRecord(JSON.parse(answer))['status']);
  } catch (cause) {
    throw new Error(`${command} answers unlike a credential plugin`, { cause });
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status;
  const encoded = (key: string, pem: unknown): object => (typeof pem === 'string' && pem !== '' ? { [key]: Buffer.from(pem).toString('base64') } : {});
  const credentials = {
    ...(typeof token === 'string' && token !== '' ? { token } : {}),
    ...encoded('client-certificate-data', clientCertificateData), ...encoded('client-key-data', clientKeyData),
  };
  const endsAt = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Infinity;
  return { credentials, endsAt };
}

/** What a plugin is told; of the cluster only where it asks for that. */
function infoFor({ apiVersion, provideClusterInfo }: Record<string, unknown>, cluster: ContextParts['cluster']): object {
  return { kind: 'ExecCredential', apiVersion, spec: { interactive: false, ...(provideClusterInfo === true ? { cluster: told(cluster) } : {}) } };
}

function told(cluster: ContextParts['cluster']): object {
  const { 'certificate-authority': file, extensions } = cluster;
  const authority = typeof file === 'string' && file !== '' ? { 'certificate-authority-data': readFileSync(file).toString('base64') } : {};
  const config = listOf(extensions).map(asRecord).find(({ name }) => name === 'client.authentication.k8s.io/exec')?.['extension'];
  const same = ['server', 'tls-server-name', 'insecure-skip-tls-verify', 'certificate-authority-data', 'proxy-url', 'disable-compression'];
  return { ...authority, ...Object.fromEntries(Object.entries(cluster).filter(([key]) => same.includes(key))), ...(config === undefined ? {} : { config }) };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
