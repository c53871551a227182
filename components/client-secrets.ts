import { bridgesAuthentication } from '../config/given-namespace.ts';
import { clientsCa } from '../config/names.ts';
import type { BridgeConfiguration, Configuration, InstalledKafka } from '../config/schema.ts';
import { compareVersions } from '../config/versions.ts';
import type { Cluster } from './cluster.ts';
import { type LiveObject, nameOf, plainError } from './cluster-reader.ts';
import type { Surroundings } from './foreign-namespaces.ts';
import { within } from './within.ts';

export type ClientAuthentication = NonNullable<BridgeConfiguration['authentication']>;

/** A Secret that a person makes so that bridges can say to Kafka who they are. */
export interface ClientSecret {
  /** Of the setting that asks for it. */
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  readonly entries: readonly string[];
  /** What its entries begin with, where Kafka's client reads them as they are. */
  readonly pem?: Readonly<Record<string, string>>;
  /** By these alone Strimzi finds it, whatever it is called (its CaReconciler lists by labels). */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What is looked at of a Secret that is there. */
export interface LiveSecret {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  /** base64 */
  readonly data?: Readonly<Record<string, string>>;
}

/** The operator from which on bridges read their key as it is. Those of before have openssl convert it, which reads any (kafka_bridge_tls_prepare_certificates.sh). */
const keysAsTheyAre = '1.1.0';

/** What is in the bridges' namespace of every region. */
function regionSecrets({ namespace, authentication }: Pick<BridgeConfiguration, 'namespace' | 'authentication'>, operator: string): ClientSecret[] {
  if (authentication === undefined) return [];
  const secret = bridgesOwn(namespace, authentication);
  if (authentication.type !== 'tls' || compareVersions(operator, keysAsTheyAre) < 0) return [secret];
  return [{ ...secret, pem: { [authentication.secret.certificate]: '-----BEGIN CERTIFICATE-----', [authentication.secret.key]: '-----BEGIN PRIVATE KEY-----' } }];
}

/** What is in Kafka's namespace, where the program makes Kafka: the password of the user that it makes there, or the CA that signed the bridges' certificate. */
export function kafkaSecrets({ name, namespace, listeners }: Pick<InstalledKafka, 'name' | 'namespace' | 'listeners'>, authentication: ClientAuthentication | undefined): ClientSecret[] {
  if (authentication === undefined || bridgesAuthentication(listeners) !== authentication.type) return [];
  if (authentication.type === 'scram-sha-512') return [bridgesOwn(namespace, authentication)];
  const { certificate, key } = clientsCa(name);
  const found = { path: 'bridge.authentication', namespace, labels: { 'strimzi.io/kind': 'Kafka', 'strimzi.io/cluster': name } };
  return [{ ...found, name: certificate, entries: ['ca.crt'] }, { ...found, name: key, entries: ['ca.key'] }];
}

/** All of a configuration, with the context of the cluster that each is in. */
export function clientSecrets({ kafka, regions, bridge, operators }: Pick<Configuration, 'kafka' | 'regions' | 'bridge' | 'operators'>): (ClientSecret & { readonly context: string; readonly region?: string })[] {
  return [
    ...(kafka.existing === undefined ? kafkaSecrets(kafka, bridge.authentication).map((secret) => ({ ...secret, context: kafka.context })) : []),
    ...regions.flatMap(({ name: region, context }) => regionSecrets(bridge, operators.strimzi.version).map((secret) => ({ ...secret, context, region }))),
  ];
}

/** What bridges say who they are by, in one of the namespaces that have it. */
function bridgesOwn(namespace: string, { type, secret }: ClientAuthentication): ClientSecret {
  return { path: 'bridge.authentication.secret', namespace, name: secret.name, entries: type === 'tls' ? [secret.certificate, secret.key] : [secret.key] };
}

/**
 * Refuses, before any object is registered, to go on where such a Secret is not there or not whole: bridges, or Kafka, would be waited for until
 * their timeouts. A cluster that cannot be asked is left to the engine.
 * @throws pulumi.RunError that names each with its cluster and what lacks
 */
export async function refuseMissingSecrets({ configuration, cluster, skipped }: Pick<Surroundings, 'configuration' | 'cluster' | 'skipped'>): Promise<void> {
  const asked = clientSecrets(configuration).filter(({ region }) => region === undefined || !skipped.has(region));
  const problems = (await Promise.all(asked.map(async (secret) => await problemOf(secret, cluster(secret.context))))).flatMap((problem) => problem ?? []);
  if (problems.length > 0) throw plainError(['What bridges say to Kafka who they are by is not there (docs/authentication.md); nothing was changed:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
}

async function problemOf(secret: ClientSecret & { readonly context: string }, { reader }: Cluster): Promise<string | undefined> {
  const { path, context, namespace, name } = secret;
  const reference = { apiVersion: 'v1', kind: 'Secret', namespace, name };
  let found: LiveObject | undefined;
  try {
    found = await within(reader.read(reference));
  } catch {
    return undefined;
  }
  const where = `${path}: ${nameOf(reference)} in cluster ${context}`;
  if (found === undefined) return `${where} is not there. Its namespace is not made by this program.`;
  const wrong = wrongWith(secret, found as LiveSecret);
  return wrong === undefined ? undefined : `${where} ${wrong}.`;
}

/** What is wrong with a Secret that is there, in words that follow its name; undefined where nothing is. */
export function wrongWith({ namespace, name, entries, pem = {}, labels = {} }: ClientSecret, { metadata, data = {} }: LiveSecret): string | undefined {
  const missing = entries.filter((entry) => !data[entry]);
  if (missing.length > 0) return `has no entry ${missing.join(', ')}; it has: ${Object.keys(data).sort().join(', ') || 'none'}`;
  const unlabelled = Object.entries(labels).filter(([label, value]) => metadata?.labels?.[label] !== value).map((label) => label.join('='));
  if (unlabelled.length > 0) return `has no label ${unlabelled.join(', ')}, without which Strimzi does not find it: kubectl label secret --namespace ${namespace} ${name} --overwrite ${unlabelled.join(' ')}`;
  const [entry, wanted] = Object.entries(pem).find(([each, begin]) => !decoded(data[each]).includes(begin)) ?? [];
  if (entry !== undefined) {
    return wanted?.includes('KEY') === true ? `has a key that is not PKCS#8, which bridges cannot load. Convert ${entry} (openssl pkcs8 -topk8 -nocrypt), or set privateKey.encoding: PKCS8 in its Certificate` : `has no certificate in ${entry}`;
  }
  // Strimzi writes it as it is between quotation marks into one line of the client's settings.
  const broken = entries.filter((each) => !isPem(data[each]) && /["\\\r\n]/.test(decoded(data[each])));
  return broken.length > 0 ? `has a line break, a quotation mark or a backslash in ${broken.join(', ')}, which would not be the same password to bridges: make it without one, also at its end (printf, kubectl create secret --from-literal)` : undefined;
}

const decoded = (value = ''): string => Buffer.from(value, 'base64').toString('utf8');
const isPem = (value: string | undefined): boolean => decoded(value).startsWith('-----BEGIN');
