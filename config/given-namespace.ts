import { outsideListener } from './listener-hosts.ts';
import type { Partly } from './readable.ts';
import type { Configuration, InstalledKafka } from './schema.ts';

/** Where a certificate of Kafka's listeners or of tier1 comes from, as far as it can be read. */
interface CertificateSource {
  readonly source?: string | undefined;
  readonly issuer?: { readonly kind?: string | undefined } | undefined;
}

/** What decides about namespaces, as far as it can be read. */
interface Settings {
  readonly namespaces?: Configuration['namespaces'] | undefined;
  readonly kafka?: Pick<Partly<InstalledKafka>, 'certificate' | 'listeners'> & { readonly existing?: unknown } | undefined;
  readonly bridge?: { readonly authentication?: unknown } | undefined;
  readonly tier1?: { readonly tls?: CertificateSource | undefined } | undefined;
}

/** Each part by the concern that names its namespace. */
export type Part = 'kafka' | 'bridge' | 'tsb' | 'tier1' | 'generators' | 'operators';

/**
 * The setting by which the namespace of each part is there before the program, which then leaves it, also when the stack is destroyed; undefined where the
 * program makes that namespace. It is all of them, or those that something lies in which a person has made.
 */
export function givenNamespaces({ namespaces, kafka, bridge, tier1 }: Settings): Readonly<Record<Part, string | undefined>> {
  const all = namespaces === 'given' ? 'namespaces' : undefined;
  return {
    kafka: all ?? givenInKafkaNamespace(kafka ?? {}),
    bridge: all ?? (bridge?.authentication === undefined ? undefined : 'bridge.authentication'),
    tsb: all,
    tier1: all ?? (liesThere(tier1?.tls) ? 'tier1.tls' : undefined),
    generators: all,
    operators: all,
  };
}

function givenInKafkaNamespace({ certificate, listeners = [] }: NonNullable<Settings['kafka']>): string | undefined {
  if (liesThere(certificate)) return 'kafka.certificate';
  return bridgesAuthentication(listeners) === undefined ? undefined : 'kafka.listeners';
}

/** Whether a certificate needs a Secret or an Issuer that lies in its namespace already. */
function liesThere(certificate: CertificateSource | undefined): boolean {
  return certificate?.source === 'secret' || certificate?.issuer?.kind === 'Issuer';
}

type Listener = Pick<InstalledKafka['listeners'][number], 'type' | 'authentication'>;

/** How bridges have to say who they are: by a password of a Secret, or by a certificate of a CA, either of which Kafka's namespace has as well. */
export function bridgesAuthentication(listeners: readonly (Partly<Listener> | undefined)[]): Listener['authentication'] {
  return outsideListener(listeners.flatMap((listener) => (listener?.type === undefined ? [] : [{ type: listener.type, authentication: listener.authentication }])))?.authentication;
}
