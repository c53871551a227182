import { X509Certificate } from 'node:crypto';

import { advertisedHosts } from '../../components/kafka-listeners.ts';
import { regionHostname } from '../../config/names.ts';
import type { Configuration } from '../../config/schema.ts';
import { judgeEnding, until, validityOf } from './ending.ts';
import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';
import { entryOf } from './secret.ts';

/** A certificate in a Secret that cert-manager is not asked for. */
interface Kept {
  readonly context: string;
  readonly namespace: string;
  readonly secret: string;
  readonly entry: string;
  /** Whether the program makes it. */
  readonly isOwn: boolean;
  /** Names that clients call whoever shows it. */
  readonly hosts: readonly string[];
}

/** Whether the certificates that are given in Secrets, or that the program signs by themselves, last and are for the names that clients call. */
export async function judgeSecretCertificates(look: Look): Promise<readonly Finding[]> {
  const { configuration } = look;
  const all = await Promise.all([...ofTier1(configuration), ...ofKafka(configuration)].map(async (kept) => {
    const { context, namespace, secret: name, entry } = kept;
    const check = new Check('certificate', `${namespace}/${name}`);
    const api = apiOf(look, context);
    if (api === undefined) return [check.unchecked(notAnswering)];
    return await check.look(async () => judge(check, kept, await entryOf(api, namespace, { name, entry })));
  }));
  return all.flat();
}

function ofTier1({ tier1: { context, namespace, tls }, hostname, regions }: Configuration): Kept[] {
  if (tls === undefined || tls.source === 'cert-manager') return [];
  return [{ context, namespace, secret: tls.secret, entry: 'tls.crt', isOwn: tls.source === 'self-signed', hosts: [hostname, ...regions.map(({ name }) => regionHostname(name, hostname))] }];
}

function ofKafka({ kafka }: Configuration): Kept[] {
  if (kafka.existing !== undefined || kafka.certificate.source !== 'secret') return [];
  const { context, namespace, certificate: { secret } } = kafka;
  return [{ context, namespace, secret: secret.name, entry: secret.certificate, isOwn: false, hosts: advertisedHosts(kafka) }];
}

function judge(check: Check, { entry, isOwn, hosts }: Kept, pem: string | undefined): Finding[] {
  if (pem === undefined && isOwn) return [check.unchecked('there is no such Secret yet')];
  if (pem === undefined) return [check.fault(`there is no Secret with an entry ${entry}`, { remedy: 'Make it first: the settings say that it exists.' })];
  const remedy = isOwn
    ? 'Run `kbf up`, which makes it anew then; clients trust this certificate itself, so give them the new one.'
    : `Put a new certificate for ${hosts.join(', ')} into the Secret: nobody else renews it.`;
  const validity = validityOf(pem);
  if (validity === undefined) return [check.fault(`its entry ${entry} is no certificate`, { remedy })];
  const leaf = new X509Certificate(pem);
  const others = hosts.filter((host) => leaf.checkHost(host) === undefined);
  const ending = judgeEnding(check, validity, { found: `is good ${until(validity)}`, remedy });
  return others.length === 0 ? [ending] : [ending, check.fault(`is not for ${others.join(', ')}`, { remedy })];
}
