import { outsideListener } from '../listener-hosts.ts';
import { isLaterMetadata, metadataName, metadataVersions, releaseOfMetadata } from '../metadata-versions.ts';
import { dnsAnnotations } from '../names.ts';
import { nearest } from '../near.ts';
import type { Finding } from '../problems.ts';
import type { Partly, Readable } from '../readable.ts';
import type { InstalledKafka } from '../schema.ts';
import { balancerClass, objectName } from '../schema/values.ts';
import { compareVersions } from '../versions.ts';
import { booleanOf, uncleanElection } from './booleans.ts';
import { notWhole, numberOf } from './numbers.ts';

type Kafka = Partly<InstalledKafka>;

export const kafkaRules = [
  'The first listener that is not internal has TLS: bridges come in by it. `bridge.authentication` is of the type that it asks for, and scram-sha-256 only with `kafka.existing`: Strimzi’s listeners and users have SCRAM-SHA-512 only.',
  'Listeners of type route and ingress have TLS, and so has one that asks for client certificates. `class` is for ingress, there the name of an IngressClass, and for loadbalancer, there with or without a domain before it; `annotations` are for all but internal, and ExternalDNS’ host name is the program’s.',
  '`kafka.zookeeper` and `source: self-signed` go with `api: v1beta2` only, `kafka.metadataVersion` with `api: v1`: one that there is, from 3.3 on and no later than `kafka.version`. ZooKeepers are an odd number, and with `api: v1` `kafka.brokers` is one, as each is a controller as well.',
  'A topic has no more `replicas` than there are brokers, and more than its `min.insync.replicas`, which without a value of its own is that of `kafka.config` (2). With `api: v1` it has no unclean leader election either. With topics, `kafka.entityOperator.topics` is not false, nor `users` with a listener that asks for scram-sha-512.',
  'A `kafka.certificate` other than the program’s own root goes with a listener that has TLS and `certificate: own`.',
  'With `auto.create.topics.enable: false` the topic of the generators is one of `kafka.topics`.',
];

/** What the parts of Kafka need of each other. */
export function checkKafka({ kafka, bridge, generators }: Readable): Finding[] {
  if (kafka === undefined) return [];
  return [...listeners(kafka), ...outside(kafka, bridge), ...ofApi(kafka), ...unused(kafka), ...topics(kafka), ...users(kafka), ...written(kafka, generators)];
}

function listeners({ listeners: all = [] }: Kafka): Finding[] {
  return all.flatMap((listener, index) => {
    if (listener === undefined) return [];
    const path = ['kafka', 'listeners', index];
    const { type, tls, authentication, annotations } = listener;
    return [
      ...((type === 'route' || type === 'ingress') && tls === false ? [{ path: [...path, 'tls'], allowed: `true: a listener of type ${type} is told apart by TLS` }] : []),
      ...(authentication === 'tls' && tls === false ? [{ path: [...path, 'authentication'], allowed: 'scram-sha-512: without TLS there is no client certificate' }] : []),
      ...(listener.class !== undefined && type !== undefined && type !== 'ingress' && type !== 'loadbalancer' ? [{ path: [...path, 'class'], allowed: 'only with type: ingress or loadbalancer' }] : []),
      ...(type === 'ingress' && !isRight(objectName, listener.class) ? [{ path: [...path, 'class'], allowed: 'the name of an IngressClass: lower-case letters, digits, inner hyphens and dots, such as nginx' }] : []),
      ...(type === 'loadbalancer' && !isRight(balancerClass, listener.class) ? [{ path: [...path, 'class'], allowed: 'at most 63 letters, digits, inner hyphens, underscores and dots, which may have a domain and a slash before it, such as service.k8s.aws/nlb' }] : []),
      ...(type === 'loadbalancer' || type === 'nodeport' ? dnsAnnotations.filter((name) => annotations?.[name] !== undefined).map((name) => ({ path: [...path, 'annotations', name], allowed: 'nothing: the program writes it, each broker with its own name' })) : []),
      ...(type === 'internal' && Object.keys(annotations ?? {}).length > 0 ? [{ path: [...path, 'annotations'], allowed: 'nothing: an internal listener has no object of its own' }] : []),
    ];
  });
}

function isRight(schema: typeof objectName, value: string | undefined): boolean {
  return value === undefined || schema.safeParse(value).success;
}

/** Bridges live in other clusters. */
function outside({ listeners: all = [] }: Kafka, bridge: Readable['bridge']): Finding[] {
  const whole = all.flatMap((listener, index) => (listener?.name === undefined || listener.type === undefined || listener.port === undefined ? [] : [{ ...listener, name: listener.name, type: listener.type, port: listener.port, index }]));
  if (whole.length < all.length || all.length === 0) return [];
  const listener = outsideListener(whole);
  if (listener === undefined) return [{ path: ['kafka', 'listeners'], allowed: 'at least one that is not internal: bridges come from other clusters' }];
  const { index, name, tls, authentication } = listener;
  const theirs = bridge?.authentication?.type;
  return [
    ...(tls === false ? [{ path: ['kafka', 'listeners', index, 'tls'], allowed: 'true: bridges come in from other clusters by this listener, the first that is not internal' }] : []),
    ...(theirs === 'scram-sha-256' ? [{ path: ['bridge', 'authentication', 'type'], allowed: 'tls, scram-sha-512: scram-sha-256 is for a Kafka that exists (kafka.existing), as Strimzi’s listeners and users have SCRAM-SHA-512 only' }] : []),
    ...(bridge === undefined || theirs === authentication || theirs === 'scram-sha-256' ? [] : [{ path: ['bridge', 'authentication'], allowed: authentication === undefined ? `nothing: the listener ${name} asks for none (kafka.listeners[${index}].authentication)` : `type: ${authentication}, as kafka.listeners[${index}].authentication says` }]),
  ];
}

function ofApi({ api, brokers, zookeeper, certificate, version, metadataVersion }: Kafka): Finding[] {
  if (api === undefined) return [];
  return [
    ...(api === 'v1' && zookeeper !== undefined ? [{ path: ['kafka', 'zookeeper'], allowed: 'only with kafka.api v1beta2: v1 has no ZooKeeper' }] : []),
    ...(api === 'v1beta2' && metadataVersion !== undefined ? [{ path: ['kafka', 'metadataVersion'], allowed: 'only with kafka.api v1: ZooKeeper keeps the metadata otherwise' }] : []),
    ...(version !== undefined && metadataVersion !== undefined && compareVersions(releaseOfMetadata(metadataVersion), version) > 0 ? [{ path: ['kafka', 'metadataVersion'], allowed: `none later than Kafka ${version} (kafka.version), which Strimzi would pass over` }] : []),
    ...(metadataVersion !== undefined && compareVersions(releaseOfMetadata(metadataVersion), '3.3') < 0 ? [{ path: ['kafka', 'metadataVersion'], allowed: '3.3 or later: Strimzi takes no earlier one' }] : []),
    ...(metadataVersion !== undefined && metadataName(metadataVersion) === undefined && !isLaterMetadata(metadataVersion) ? [unknownMetadata(metadataVersion)] : []),
    ...(api === 'v1' && brokers !== undefined && brokers % 2 === 0 ? [{ path: ['kafka', 'brokers'], allowed: 'an odd number: every broker is a controller as well, and an even number of those survives no more losses than one less' }] : []),
    ...(zookeeper?.replicas !== undefined && zookeeper.replicas % 2 === 0 ? [{ path: ['kafka', 'zookeeper', 'replicas'], allowed: 'an odd number: an even one survives no more losses than one less' }] : []),
    ...(api === 'v1' && certificate?.source === 'self-signed' ? [{ path: ['kafka', 'certificate', 'source'], allowed: 'own-root, issuer, secret: with self-signed, only for kafka.api v1beta2, every renewal takes the bridges’ trust away' }] : []),
  ];
}

/** Strimzi refuses it, and says so only when the time of the object is over. */
function unknownMetadata(version: string): Finding {
  const suggestion = metadataName(releaseOfMetadata(version)) ?? nearest(version, metadataVersions);
  return { path: ['kafka', 'metadataVersion'], allowed: `a version that there is: ${metadataVersions.join(', ')}, or a release for the last of it, such as 4.2`, suggestion };
}

/** Where the certificate comes from decides whether the namespace is there before the program, even if nobody shows it. */
function unused({ certificate, listeners: all = [] }: Kafka): Finding[] {
  const source = certificate?.source;
  if (source === undefined || source === 'own-root' || all.length === 0 || all.some((listener) => listener === undefined || (listener.tls !== false && listener.certificate !== 'operator'))) return [];
  return [{ path: ['kafka', 'certificate'], allowed: `nothing, as no listener shows it: they have certificate: operator or no TLS; or certificate: own on one that has TLS` }];
}

function topics({ topics: all = [], brokers, entityOperator, config: ofBrokers, api }: Kafka): Finding[] {
  const least = 'min.insync.replicas';
  const ignored = all.length > 0 && entityOperator?.topics === false;
  return [
    ...(ignored ? [{ path: ['kafka', 'entityOperator', 'topics'], allowed: 'true, or no kafka.topics: without the operator nobody makes them' }] : []),
    ...all.flatMap((topic, index) => {
      const { replicas, config } = topic ?? {};
      const path = ['kafka', 'topics', index];
      const needed = numberOf(config, least, numberOf(ofBrokers, least, 2));
      const own = config?.[least] !== undefined;
      return [
        ...(replicas !== undefined && brokers !== undefined && replicas > brokers ? [{ path: [...path, 'replicas'], allowed: `${brokers} or less, as there are so many brokers` }] : []),
        ...notWhole([...path, 'config'], config, [least]),
        ...(api === 'v1' ? uncleanElection([...path, 'config'], config) : []),
        ...(replicas === undefined || needed < replicas || needed <= 1 ? [] : [
          own ? { path: [...path, 'config', least], allowed: `less than ${replicas} (replicas), or the loss of one broker refuses every record` }
          : { path: [...path, 'replicas'], allowed: `more than ${needed} (${least} of the brokers), or the loss of one broker refuses every record` },
        ]),
      ];
    }),
  ];
}

/** Brokers know such users only by their operator. */
function users({ listeners: all = [], entityOperator }: Kafka): Finding[] {
  const index = all.findIndex((listener) => listener?.authentication === 'scram-sha-512');
  if (index < 0 || entityOperator?.users !== false) return [];
  return [{ path: ['kafka', 'entityOperator', 'users'], allowed: `true: kafka.listeners[${index}] asks for scram-sha-512, and without the operator nobody makes its users` }];
}

/** Nobody makes a topic that Kafka must not make by itself. */
function written({ topics: all = [], config }: Kafka, generators: Readable['generators']): Finding[] {
  if (generators?.topic === undefined || booleanOf(config?.['auto.create.topics.enable']) !== false) return [];
  const names = all.flatMap((topic) => topic?.name ?? []);
  return names.includes(generators.topic) ? [] : [{ path: ['generators', 'topic'], allowed: `one of kafka.topics (${names.join(', ') || 'there is none'}), as auto.create.topics.enable is false` }];
}
