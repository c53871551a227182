import { listenerHosts, outsideListener } from '../../config/listener-hosts.ts';
import { certificatesOf } from '../../config/pem.ts';
import type { InstalledKafka } from '../../config/schema.ts';
import { shellWord } from '../../config/shell-word.ts';
import { firstLineOf } from '../../errors.ts';
import { judgeEnding, until, validityOf } from './ending.ts';
import { Check, type Finding } from './finding.ts';
import { shakeHands, type Shown } from './handshake.ts';
import { apiOf, type Look, notAnswering } from './look.ts';
import { entryOf } from './secret.ts';
import { type Seen, together } from './together.ts';

interface Server {
  readonly host: string;
  readonly port: number;
}

/** A CA certificate, or several one after the other, and the regions whose bridges trust brokers by them. */
interface Trust {
  readonly ca: string;
  readonly regions: readonly string[];
}

/** Whether Kafka is reached by the names that its brokers advertise, with a certificate that bridges trust and that lasts. */
export async function judgeKafka(look: Look): Promise<readonly Finding[]> {
  const { kafka } = look.configuration;
  const check = new Check('Kafka', kafka.existing === undefined ? `${kafka.namespace}/${kafka.name}` : 'existing');
  return await check.look(async () => {
    if (kafka.existing !== undefined) {
      const servers = kafka.existing.bootstrapServers.split(',').map((server) => ({ host: server.slice(0, server.lastIndexOf(':')), port: Number(server.slice(server.lastIndexOf(':') + 1)) }));
      const renewal = 'Whoever runs that Kafka has to renew it.';
      return await judgeServers(check, servers, { trust: [{ ca: kafka.existing.caCertificate, regions: ['the settings'] }], renewal });
    }
    const api = apiOf(look, kafka.context);
    if (api === undefined) return check.unchecked(notAnswering);
    const live = await api.find<LiveKafka>(`/apis/kafka.strimzi.io/${kafka.api}/namespaces/${kafka.namespace}/kafkas/${kafka.name}`);
    if (live === undefined) return check.unchecked('there is no Kafka yet');
    return [...judgeConditions(check, live, kafka), ...await judgeServers(check, serversOf(kafka, live), { trust: await trusted(look), renewal: renewalOf(kafka) })];
  });
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface LiveKafka {
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly listeners?: readonly { readonly name: string; readonly addresses?: readonly { readonly port: number }[] }[];
  };
}

/** Strimzi is content with a Kafka that it warns of. */
function judgeConditions(check: Check, { status }: LiveKafka, { context, namespace, name }: InstalledKafka): Finding[] {
  const { warnings = [], others = [] } = Object.groupBy(status?.conditions ?? [], ({ type }) => (type === 'Warning' ? 'warnings' : 'others'));
  const why = ({ reason, message }: Condition): string => [reason, message].filter((part) => part !== undefined).join(': ');
  const remedy = `See: kubectl --context ${shellWord(context)} -n ${namespace} describe kafka ${name}`;
  const said = others.map((condition) => `${condition.type}=${condition.status} ${why(condition)}`.trim()).join('; ');
  const isReady = others.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  return [
    isReady ? check.ok('is ready') : check.fault(`is not ready: ${said === '' ? 'its operator has not answered' : said}`, { remedy }),
    ...warnings.filter(({ status: is }) => is === 'True').map((condition) => check.warning(`its operator warns: ${why(condition)}`, { remedy })),
  ];
}

/** By what bridges come in, as listeners have it from outside. A node's port is known for the first contact only. */
function serversOf(kafka: InstalledKafka, { status }: LiveKafka): Server[] {
  const listener = outsideListener(kafka.listeners);
  if (listener === undefined) return [];
  const { bootstrap, brokers } = listenerHosts(kafka, listener);
  if (listener.type === 'nodeport') {
    const port = status?.listeners?.find(({ name }) => name === listener.name)?.addresses?.[0]?.port;
    return port === undefined ? [] : [{ host: bootstrap, port }];
  }
  return [bootstrap, ...brokers].map((host) => ({ host, port: listener.type === 'loadbalancer' ? listener.port : 443 }));
}

/** What the bridges of each region trust, from the Secrets that are there now: a copy may be older than Kafka's certificate. */
async function trusted({ configuration, objects, clusters }: Look): Promise<Trust[]> {
  const { regions, bridge } = configuration;
  const found = await Promise.all(regions.map(async ({ name, context }) => {
    const spec = objects.find(({ kind, folder }) => kind === 'KafkaBridge' && folder !== 'gcp' && folder.context === context)?.content['spec'];
    const given = (spec as { tls?: { trustedCertificates?: { secretName: string; certificate?: string }[] } } | undefined)?.tls?.trustedCertificates ?? [];
    const api = clusters.find((cluster) => cluster.context === context)?.api;
    if (api === undefined) return [];
    const entries = await Promise.all(given.map(({ secretName, certificate = 'ca.crt' }) => entryOf(api, bridge.namespace, { name: secretName, entry: certificate }).catch(() => undefined)));
    const authorities = entries.filter((entry) => entry !== undefined);
    return authorities.length === 0 ? [] : [{ name, ca: authorities.map((authority) => authority.trim()).join('\n') }];
  }));
  return [...Map.groupBy(found.flat(), ({ ca }) => ca.trim()).values()].flatMap((alike) => (alike[0] === undefined ? [] : [{ ca: alike[0].ca, regions: alike.map(({ name }) => name) }]));
}

/** Who renews the certificate that brokers show. */
function renewalOf({ certificate, context, namespace }: InstalledKafka): string {
  if (certificate.source === 'secret') return `Put a new one into Secret ${namespace}/${certificate.secret.name} of cluster ${context}.`;
  return `cert-manager should have renewed it: see kubectl --context ${shellWord(context)} -n ${namespace} describe certificate, and that brokers were rolled since.`;
}

async function judgeServers(check: Check, servers: readonly Server[], { trust, renewal }: { trust: readonly Trust[]; renewal: string }): Promise<Finding[]> {
  const everyone = trust.length > 0 ? trust : [{ ca: undefined, regions: [] }];
  const tried = await Promise.all(servers.flatMap((server) => everyone.map(({ ca, regions }) => attempt(server, { ca, regions, renewal }))));
  const authorities = trust.flatMap(({ ca, regions }) => certificatesOf(ca).map((each, index, all) => {
    const validity = validityOf(each);
    const whose = `CA that ${regions.join(', ')} ${regions.length > 1 ? 'trust' : 'trusts'}${all.length > 1 ? ` (number ${String(index + 1)} of ${String(all.length)})` : ''}`;
    const remedy = all.length > 1 ? 'Take it out of the settings once no broker shows a certificate that it signed.' : 'Renew it before: bridges trust brokers by nothing else.';
    const lasting = new Check('certificate', 'Kafka');
    if (validity === undefined) return lasting.fault(`the ${whose} is no certificate`);
    return judgeEnding(lasting, validity, { found: `the ${whose} is good ${until(validity)}`, remedy });
  }));
  return [...together(check, tried.map(({ seen }) => seen)), ...judgeLeaf(tried.flatMap(({ shown }) => shown ?? []), renewal), ...authorities];
}

interface Tried {
  readonly seen: Seen;
  readonly shown?: Shown;
}

interface Trial {
  readonly ca: string | undefined;
  readonly regions: readonly string[];
  readonly renewal: string;
}

async function attempt({ host, port }: Server, trial: Trial): Promise<Tried> {
  const name = `${host}:${String(port)}`;
  try {
    const shown = await shakeHands(host, port, trial.ca);
    return { shown, seen: { name, ...judgeTrust(shown, trial) } };
  } catch (error) {
    return { seen: { name, ...judgeFailure(error as NodeJS.ErrnoException) } };
  }
}

function judgeTrust({ distrust }: Shown, { ca, regions, renewal }: Trial): Omit<Seen, 'name'> {
  const whose = regions.join(', ');
  if (distrust === undefined) return { verdict: 'ok', says: ca === undefined ? 'answers, speaking TLS' : `answers with a certificate that ${whose} ${regions.length > 1 ? 'trust' : 'trusts'}` };
  if (distrust === 'ERR_TLS_CERT_ALTNAME_INVALID') return { verdict: 'fault', says: 'shows a certificate for other names', remedy: 'Issue it for every name that brokers advertise (kafka.certificate.hosts).' };
  if (distrust === 'CERT_HAS_EXPIRED') return { verdict: 'fault', says: 'shows a certificate that has expired', remedy: renewal };
  return { verdict: 'fault', says: `shows a certificate that ${whose} ${regions.length > 1 ? 'do' : 'does'} not trust (${distrust})`, remedy: 'Run `kbf up`, which gives every region the CA of today.' };
}

function judgeFailure(error: NodeJS.ErrnoException): Omit<Seen, 'name'> {
  const fromHere = 'What counts is the way from the regions: there the name must resolve and the port be open.';
  switch (error.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { verdict: 'warning', says: 'there is no such host name, seen from this machine', remedy: `Publish it (ExternalDNS, or a record by hand). ${fromHere}` };
    case 'ETIMEDOUT':
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { verdict: 'warning', says: `cannot be connected to from this machine (${error.code})`, remedy: fromHere };
    default:
      return { verdict: 'fault', says: `does not speak TLS: ${firstLineOf(error)}`, remedy: 'Is that the address of the right listener?' };
  }
}

/** Of several brokers, the one whose certificate ends first. */
function judgeLeaf(shown: readonly Shown[], renewal: string): Finding[] {
  const [first] = shown.map(({ certificate }) => ({ begins: Date.parse(certificate.valid_from), ends: Date.parse(certificate.valid_to) })).sort((a, b) => a.ends - b.ends);
  if (first === undefined || Number.isNaN(first.ends)) return [];
  return [judgeEnding(new Check('certificate', 'Kafka'), first, { found: `the listener's is good ${until(first)}`, remedy: renewal })];
}
