import { X509Certificate } from 'node:crypto';

import type { ApiServer } from './apiServer.ts';
import { judgeEnding, until, type Validity, validityOf } from './ending.ts';
import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';
import { entryOf } from './secret.ts';
import { type Seen, together } from './together.ts';

/** What a cluster's mesh trusts. */
interface Roots {
  readonly context: string;
  /** SHA-256 of each certificate. */
  readonly fingerprints: readonly string[];
  /** Of the one that ends last: while roots are changed, the old one stays beside the new. */
  readonly validity: Validity | undefined;
}

/** Whether the clusters that requests pass between trust one root, and one that lasts: gateways speak mTLS with each other, which fails without it. */
export async function judgeMeshRoot(look: Look): Promise<readonly Finding[]> {
  const contexts = [...new Set([...look.configuration.regions.map(({ context }) => context), look.configuration.tier1.context])];
  const check = new Check('mesh root', contexts.join(', '));
  return await check.look(async () => {
    const asked = contexts.flatMap((context) => apiOf(look, context) ?? []);
    const silent = contexts.filter((context) => apiOf(look, context) === undefined);
    const roots = await Promise.all(asked.map(rootsOf));
    return [judge(check, roots, { silent, isSandbox: look.isSandbox }), ...judgeEnds(check, roots)];
  });
}

function judge(check: Check, roots: readonly Roots[], { silent, isSandbox }: { silent: readonly string[]; isSandbox: boolean }): Finding {
  const having = roots.filter(({ fingerprints }) => fingerprints.length > 0);
  const lacking = roots.filter(({ fingerprints }) => fingerprints.length === 0).map(({ context }) => context);
  if (having.length === 0 && roots.length > 0) {
    const plain = 'none of them has a root (istio-ca-root-cert or cacerts in istio-system)';
    return isSandbox
      ? check.warning(`${plain}: on the sandbox requests travel plain, unlike anywhere else`)
      : check.warning(`${plain}: requests between clusters travel plain, or not at all`, { remedy: 'Give every cluster a certificate of one CA (Secret cacerts in istio-system) before its control plane starts.' });
  }
  const [first, ...others] = having;
  const apart = first === undefined ? [] : others.filter(({ fingerprints }) => !fingerprints.some((each) => first.fingerprints.includes(each)));
  if (first !== undefined && apart.length > 0) {
    return check.fault(`${apart.map(describe).join(' and ')} ${apart.length > 1 ? 'have' : 'has'} another root than ${describe(first)}`, { remedy: 'Give all of them a certificate of one CA (Secret cacerts in istio-system), then restart istiod and every proxy.' });
  }
  if (lacking.length > 0) return check.warning(`${lacking.join(', ')} ${lacking.length > 1 ? 'have' : 'has'} no root, unlike ${having.map(({ context }) => context).join(', ')}`, { remedy: 'Is istiod there, and a certificate of the same CA (Secret cacerts in istio-system)?' });
  if (silent.length > 0) return check.unchecked(having.length === 0 ? notAnswering : `${silent.join(', ')} cannot be asked`);
  return check.ok(`all trust one root, ${first === undefined ? '' : short(first)}`);
}

/** One line for all clusters whose root ends at one time. */
function judgeEnds(check: Check, roots: readonly Roots[]): Finding[] {
  const remedy = 'Renew it in all clusters at once, old and new side by side until every proxy has the new one: when it ends, no request passes between them.';
  return together(check, roots.flatMap(({ context, validity }): Seen[] => {
    if (validity === undefined) return [];
    const { verdict, found, ...advice } = judgeEnding(check, validity, { found: `the root is good ${until(validity)}`, remedy });
    return [{ name: context, verdict, says: found, ...advice }];
  }));
}

/** From the ConfigMap that istiod writes into every namespace, or the Secret that it was given. */
async function rootsOf(api: ApiServer): Promise<Roots> {
  const map = await api.find<{ data?: Record<string, string> }>('/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert');
  const pem = map?.data?.['root-cert.pem'] ?? await entryOf(api, 'istio-system', { name: 'cacerts', entry: 'root-cert.pem' });
  const all = certificatesIn(pem ?? '');
  const [validity] = all.flatMap((certificate) => validityOf(certificate) ?? []).sort((a, b) => b.ends - a.ends);
  return { context: api.context, fingerprints: all.map((certificate) => new X509Certificate(certificate).fingerprint256), validity };
}

function certificatesIn(pem: string): string[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(([certificate]) => certificate);
}

function describe(roots: Roots): string {
  return `${roots.context} (${short(roots)})`;
}

function short({ fingerprints: [first = ''] }: Roots): string {
  return first.slice(0, 23);
}
