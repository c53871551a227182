import { listenerHosts, outsideListener } from '../config/listener-hosts.ts';
import { bridgesAuthentication } from '../config/given-namespace.ts';
import { isOneWay, metadataName, releaseOfMetadata } from '../config/metadata-versions.ts';
import type { InstalledKafka } from '../config/schema.ts';
import { asRecord } from '../config/text.ts';
import { compareVersions } from '../config/versions.ts';
import { type Listener, shownCertificate } from './kafka-listeners.ts';
import { type Refusal, same } from './refusal.ts';
import { type Running, type RunningObject, textOf } from './running.ts';
import { otherTrust } from './unchangeable-trust.ts';

const mirror = 'set it back, or mirror the records to a Kafka of another stack, or run destroy first.';
const names = `Brokers would go by the new names, and their certificate with them, while bridges call them by the old ones until the last of them was made anew: ${mirror}`;
const order = 'Bridges call it by this name until the last of them was made anew, and the first listener has the short names: put others after it.';
const way = 'Bridges come in by this listener until the last of them was made anew, so that no region answers';
const clients = 'Brokers would ask for what bridges do not say yet, or the other way round, until the last of them was made anew: set it back, or run destroy first.';
const classOfService = 'Kubernetes gives a Service no other class than it was made with';

/** What is asked of clients where nobody asks anything. */
const noAuthentication = 'no authentication of bridges';

/** A listener as the last run left it. */
type RunningListener = Pick<Listener, 'name' | 'type' | 'port' | 'tls' | 'authentication' | 'certificate' | 'class'>;

/**
 * Bridges are made anew when Kafka is ready, one after the other: the listener that they come in by has to be there as it is until then. By which
 * one they come in next is free.
 */
export function movedListener({ object, outputs }: Running, kafka: RunningObject, wanted: InstalledKafka): Refusal[] {
  const before = outsideListener(listenersOf(kafka));
  if (before === undefined) return [];
  const index = wanted.listeners.findIndex(({ name }) => name === before.name);
  const kept = wanted.listeners[index];
  const instead = `${way}: ${another(before, wanted)}`;
  if (kept === undefined) return [{ path: 'kafka.listeners', running: `a listener ${before.name}`, wanted: 'none of this name', instead }];
  const path = `kafka.listeners[${index}]`;
  const refusals = [
    ...same(`${path}.type`, before.type, kept.type, instead),
    ...same(`${path}.port`, String(before.port), String(kept.port), instead),
    ...same(`${path}.certificate`, shownCertificate(before), shownCertificate(kept), instead),
    ...otherClass(before, kept, { path, instead: mirror }),
    ...(before.type === kept.type ? movedHost(hostOf(outputs, before), wanted, kept) : []),
    ...[kept, outsideListener(wanted.listeners) ?? kept].flatMap((listener) => same('kafka.listeners', authenticationOf(before), authenticationOf(listener), clients)),
  ];
  if (shownCertificate(before) !== 'own' || shownCertificate(kept) !== 'own') return refusals;
  // With another listener it is for other names anyway.
  return [...refusals, ...otherTrust(object('Certificate', 'kafka-listener'), wanted).filter(({ path: of }) => refusals.length === 0 || of !== 'kafka.certificate')];
}

/** Strimzi, or Kubernetes, takes none of it back, and that shows only when the time of the object is over, in which nothing else goes on. */
export function takenBack(kafka: RunningObject, wanted: InstalledKafka): Refusal[] {
  const before = listenersOf(kafka);
  return [...olderVersion(kafka, wanted), ...olderMetadata(kafka, wanted), ...wanted.listeners.flatMap((listener, index) => {
    const running = before.find(({ name }) => name === listener.name);
    return running === undefined ? [] : otherClass(running, listener, { path: `kafka.listeners[${index}]`, instead: 'set it back, or give the listener another name.' });
  })];
}

/** Of a load balancer. Classes of Ingresses may be changed. */
function otherClass(before: RunningListener, { type, class: wanted }: Listener, { path, instead }: { path: string; instead: string }): Refusal[] {
  return before.type === 'loadbalancer' && type === 'loadbalancer' ? same(`${path}.class`, before.class ?? noClass, wanted ?? noClass, `${classOfService}: ${instead}`) : [];
}

const noClass = 'none';

/** Whether a Kafka understands the metadata that is there. */
function olderVersion(kafka: RunningObject, { version }: InstalledKafka): Refusal[] {
  const running = textOf(kafka.status['kafkaVersion']);
  const metadata = metadataOf(kafka);
  if (running === undefined || metadata === undefined || asRecord(kafka.spec['kafka'])['version'] === version || compareVersions(releaseOfMetadata(version), releaseOfMetadata(metadata)) >= 0) return [];
  return [{ path: 'kafka.version', running, wanted: version, instead: `What Kafka has written is of version ${metadata} by now, which an older one does not understand: set it back.` }];
}

/** Strimzi is content with a Kafka that refuses to write as before: a warning in its status is all. */
function olderMetadata(kafka: RunningObject, { metadataVersion: wanted }: InstalledKafka): Refusal[] {
  const metadata = metadataOf(kafka);
  if (wanted === undefined || metadata === undefined || !isOneWay(metadata, wanted)) return [];
  // Where its name is not known, the release of a Kafka is one as well.
  const running = metadataName(metadata) ?? metadata.split('.').slice(0, 2).join('.');
  return [{ path: 'kafka.metadataVersion', running, wanted, instead: `What Kafka has written is of version ${running} by now, which it does not write back, and Strimzi would say so in a warning only: set it to ${running}.` }];
}

/**
 * The version of the metadata that is there. Unless that is held back it is as new as the Kafka that last was ready, soon after that; without a status, as
 * of one that never was, nobody knows.
 */
function metadataOf({ spec, status }: RunningObject): string | undefined {
  const { metadataVersion, config } = asRecord(spec['kafka']);
  const running = textOf(status['kafkaVersion']);
  // With ZooKeeper it is the protocol among brokers.
  const held = metadataVersion ?? asRecord(config)['inter.broker.protocol.version'];
  return running === undefined || held === undefined ? running : textOf(status['kafkaMetadataVersion']) ?? String(held);
}

/** Beside a Route a listener keeps its names, and so does a Route: of two that are none the first has the short ones. */
function another(before: RunningListener, { listeners, certificate }: InstalledKafka): string {
  const next = listeners.find(({ name, type }) => name === before.name && type !== 'internal') ?? outsideListener(listeners);
  const apart = next?.type === 'route' || before.type === 'route';
  // One that signs itself is another one as soon as it has more names.
  if (!apart || certificate.source === 'self-signed') return mirror;
  return 'leave it as it is, put one of another name and port before it, run up, then take this one out and run up again.';
}

function movedHost(before: string | undefined, kafka: InstalledKafka, listener: Listener): Refusal[] {
  if (before === undefined) return [];
  const { bootstrap } = listenerHosts(kafka, listener);
  const domain = before.slice(before.indexOf('.') + 1);
  return domain === kafka.domain ? same('kafka.listeners', before, bootstrap, order) : same('kafka.domain', domain, kafka.domain, names);
}

/** Where clients began with a listener. */
function hostOf(outputs: Running['outputs'], { name }: RunningListener): string | undefined {
  const { listeners = [] } = outputs as { listeners?: readonly { name: string; bootstrapServers: string }[] };
  return listeners.find((listener) => listener.name === name)?.bootstrapServers.split(':')[0];
}

function listenersOf({ spec }: RunningObject): RunningListener[] {
  const { listeners = [] } = asRecord(spec['kafka']) as { listeners?: (Omit<RunningListener, 'authentication' | 'certificate'> & { authentication?: { type: 'tls' | 'scram-sha-512' }; configuration?: { brokerCertChainAndKey?: object; class?: string } })[] };
  return listeners.map(({ authentication, configuration, ...listener }) => ({
    ...listener, authentication: authentication?.type, certificate: configuration?.brokerCertChainAndKey === undefined ? 'operator' : 'own', class: configuration?.class,
  }));
}

/** What a listener asks of who comes in. */
function authenticationOf(listener: RunningListener): string {
  return bridgesAuthentication([listener]) ?? noAuthentication;
}
