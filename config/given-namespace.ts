import { outsideListener } from './listener-hosts.ts';
import type { Partly } from './readable.ts';
import type { InstalledKafka } from './schema.ts';

/** Where a certificate of Kafka's listeners or of tier1 comes from, as far as it can be read. */
interface CertificateSource {
  readonly source?: string | undefined;
  readonly issuer?: { readonly kind?: string | undefined } | undefined;
}

/** Whether a certificate needs a Secret or an Issuer that lies in its namespace already: then the namespace is there before the program, which leaves it as it is. */
export function needsGivenNamespace(certificate: CertificateSource | undefined): boolean {
  return certificate?.source === 'secret' || certificate?.issuer?.kind === 'Issuer';
}

/** What a person has made in Kafka's namespace before the program, by the setting that asks for it; undefined where the program makes that namespace. */
export function givenInKafkaNamespace({ certificate, listeners = [] }: Pick<Partly<InstalledKafka>, 'certificate' | 'listeners'>): 'certificate' | 'listeners' | undefined {
  if (needsGivenNamespace(certificate)) return 'certificate';
  return bridgesAuthentication(listeners) === undefined ? undefined : 'listeners';
}

type Listener = Pick<InstalledKafka['listeners'][number], 'type' | 'authentication'>;

/** How bridges have to say who they are: by a password of a Secret, or by a certificate of a CA, either of which Kafka's namespace has as well. */
export function bridgesAuthentication(listeners: readonly (Partly<Listener> | undefined)[]): Listener['authentication'] {
  return outsideListener(listeners.flatMap((listener) => (listener?.type === undefined ? [] : [{ type: listener.type, authentication: listener.authentication }])))?.authentication;
}
