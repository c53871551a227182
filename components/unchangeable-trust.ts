import type { InstalledKafka } from '../config/schema.ts';
import { asRecord } from '../config/text.ts';
import { certificateHosts } from './kafka-listeners.ts';
import { rootIssuer, selfSignedIssuer } from './listener-certificate.ts';
import { type Refusal, same } from './refusal.ts';
import { type RunningObject, textOf } from './running.ts';

const trust = 'Bridges would trust the new certificates before brokers show them, or the other way round, until the last of them was made anew: set it back, or run destroy first.';

/** What bridges trust by the listeners' own certificate: another issuer, and one that signs itself is trusted no longer when anything of it is another. */
export function otherTrust(certificate: RunningObject | undefined, kafka: InstalledKafka): Refusal[] {
  const { certificate: wanted } = kafka;
  const source = sourceOf(kafka.name, certificate?.spec);
  if (certificate === undefined || source !== wanted.source) return same('kafka.certificate.source', source, wanted.source, trust);
  const { issuerRef, duration, subject, dnsNames } = certificate.spec;
  switch (wanted.source) {
    case 'issuer': {
      const { name, kind } = asRecord(issuerRef);
      return [
        ...same('kafka.certificate.issuer.name', textOf(name), wanted.issuer.name, trust),
        ...same('kafka.certificate.issuer.kind', textOf(kind), wanted.issuer.kind, trust),
      ];
    }
    case 'self-signed':
      return [
        ...same('kafka.certificate.leafDays', daysOf(duration), String(wanted.leafDays), trust),
        ...same('kafka.certificate.organization', organizationOf(subject), wanted.organization, trust),
        ...otherNames(textsOf(dnsNames), certificateHosts(kafka)),
      ];
    default:
      return [];
  }
}

/** What the listeners' certificate is from, by who issues it. */
function sourceOf(kafka: string, certificate: RunningObject['spec'] | undefined): InstalledKafka['certificate']['source'] {
  const { name } = asRecord(certificate?.['issuerRef']);
  if (name === undefined) return 'secret';
  return name === rootIssuer(kafka) ? 'own-root' : name === selfSignedIssuer ? 'self-signed' : 'issuer';
}

/** They follow from brokers and listeners, unless they are given. */
function otherNames(running: readonly string[], wanted: readonly string[]): Refusal[] {
  const [more, fewer] = [wanted.filter((host) => !running.includes(host)), running.filter((host) => !wanted.includes(host))];
  if (more.length === 0 && fewer.length === 0) return [];
  const difference = [...(more.length > 0 ? [`with ${more.join(', ')}`] : []), ...(fewer.length > 0 ? [`without ${fewer.join(', ')}`] : [])];
  return [{ path: 'kafka.certificate', running: 'one that signs itself', wanted: `another one, ${difference.join(', ')},`, instead: trust }];
}

function daysOf(duration: unknown): string | undefined {
  const [, hours] = /^(\d+)h/.exec(textOf(duration) ?? '') ?? [];
  return hours === undefined ? undefined : String(Number(hours) / 24);
}

function organizationOf(subject: unknown): string | undefined {
  return textsOf(asRecord(subject)['organizations'])[0];
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.flatMap((each) => textOf(each) ?? []) : [];
}
