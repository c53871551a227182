import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';

/**
 * Reads a Java properties file (`key=value` lines, `#` comments, backslash at a line's end goes on) with its placeholders filled in.
 * Environment variables named like a key override the file, as they do in the official bridge.
 */
export async function readProperties(file: string): Promise<Map<string, string>> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`cannot read the configuration file ${file}: ${String(error)}`, { exitCode: 2, cause: error });
  });
  const properties = parseProperties(text);
  // As in the original, an environment variable named exactly like a key wins over the file.
  for (const [key, value] of Object.entries(process.env)) if (/^(bridge|http|kafka)\./.test(key) && value !== undefined) properties.set(key, value);
  for (const [key, value = ''] of Object.entries(process.env)) if (/^(bridge|http|kafka)\./.test(key)) properties.set(key, value);
  for (const [key, value] of properties) properties.set(key, await fillPlaceholders(value));
  return properties;
}

/** The entries of a Java properties text. Escapes other than a line's continuation are not used by the operator and are left as they are. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of text.replace(/\\\r?\n\s*/g, '').split(/\r?\n/)) {
    const [, key, value] = /^\s*([^#!=:\s][^=:\s]*)\s*[=:]?\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined) properties.set(key, (value ?? '').trimEnd());
  }
  return properties;
}

/** Replaces `${provider:path:key}` by what the Strimzi configuration provider of that name would answer. */
async function fillPlaceholders(value: string): Promise<string> {
  const parts: string[] = [];
  let end = 0;
  for (const match of value.matchAll(/\$\{(strimzi\w+):([^}]*)\}/g)) {
    parts.push(value.slice(end, match.index), await provide(match[1] ?? '', match[2] ?? ''));
    end = match.index + match[0].length;
  }
  return [...parts, value.slice(end)].join('');
}

async function provide(provider: string, reference: string): Promise<string> {
  const colon = reference.lastIndexOf(':');
  const [path, key] = colon < 0 ? ['', reference] : [reference.slice(0, colon), reference.slice(colon + 1)];
  if (provider === 'strimzienv') return process.env[key] ?? '';
  if (provider === 'strimzidir') return readFile(join(path, key), 'utf8');
  if (provider === 'strimzifile') return parseProperties(await readFile(path, 'utf8')).get(key) ?? '';
  if (provider === 'strimzisecrets') return readSecret(path, key);
  throw new UserError(`unknown configuration provider ${provider} in \${${provider}:${reference}}`, { exitCode: 2 });
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

// The Bridge's pod reads the Secret through the API with its own service account: its Role allows just these Secrets.
async function readSecret(path: string, key: string): Promise<string> {
  const [namespace, name] = path.split('/');
  const [token, ca] = await Promise.all([readFile(`${serviceAccount}/token`, 'utf8'), readFile(`${serviceAccount}/ca.crt`)]);
  const url = `https://${process.env['KUBERNETES_SERVICE_HOST'] ?? ''}:${process.env['KUBERNETES_SERVICE_PORT'] ?? '443'}/api/v1/namespaces/${namespace ?? ''}/secrets/${name ?? ''}`;
  const { status, body } = await get(url, { authorization: `Bearer ${token.trim()}` }, ca);
  if (status !== 200) throw new UserError(`cannot read Secret ${path}: the API server answered ${String(status)}`, { remedy: 'the pod\'s Role must allow "get" on this Secret' });
  const data = (JSON.parse(body) as { data?: Record<string, string> }).data?.[key];
  if (data === undefined) throw new UserError(`Secret ${path} has no key ${key}`);
  return Buffer.from(data, 'base64').toString('utf8');
}

function get(url: string, headers: Record<string, string>, ca: Buffer): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, ca, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => { resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }); });
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer from ${url} within 10 s`)));
    sent.on('error', reject);
    sent.end();
  });
}
