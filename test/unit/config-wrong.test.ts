import assert from 'node:assert/strict';

import { problemsOf } from '../../config/configuration.ts';
import { type ConfigurationFiles, configurationFiles, validConfiguration } from './configuration-fixtures.ts';

/** One wrong input: what is changed in a valid configuration, and all that is then said of it. */
interface Wrong {
  readonly what: string;
  /** Values by path; undefined takes the key away. */
  readonly change: Readonly<Record<string, unknown>>;
  readonly path: string;
  /** DIRECTORY stands for the directory of the files. */
  readonly found: string;
  readonly allowed: string;
  readonly suggestion?: string;
}

const wrong: readonly Wrong[] = [
  { what: 'a missing host name', change: { hostname: undefined }, path: 'hostname', found: 'nothing', allowed: 'text: a lower-case host name without scheme, port or path, such as kafka-bridge.example' },
  { what: 'a URL for a host name', change: { hostname: 'http://a.example' }, path: 'hostname', found: '"http://a.example"', allowed: 'a lower-case host name without scheme, port or path, such as kafka-bridge.example' },
  { what: 'a host name of one label', change: { hostname: 'localhost' }, path: 'hostname', found: '"localhost"', allowed: 'a lower-case host name without scheme, port or path, such as kafka-bridge.example' },
  { what: 'a host name in capitals', change: { hostname: 'Kafka.example' }, path: 'hostname', found: '"Kafka.example"', allowed: 'a lower-case host name without scheme, port or path, such as kafka-bridge.example' },
  { what: 'a number for a host name', change: { hostname: 7 }, path: 'hostname', found: '7', allowed: 'text: a lower-case host name without scheme, port or path, such as kafka-bridge.example' },
  { what: 'a host name of 254 characters', change: { hostname: `${'a.'.repeat(124)}exampl` }, path: 'hostname', found: '"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a....', allowed: 'at most 253 characters' },
  { what: 'a misspelt concern', change: { kafak: {} }, path: 'kafak', found: 'a key that does not exist', allowed: 'hostname, kubeconfig, kafka, regions, bridge, tsb, tier1, operators, generators, checks, gcp', suggestion: 'kafka' },
  { what: 'a misspelt key inside', change: { 'kafka.storgae': {} }, path: 'kafka.storgae', found: 'a key that does not exist', allowed: 'context, kubeconfig, namespace, name, api, version, metadataVersion, brokers, zookeeper, storage, resources, config, domain, listeners, certificate, topics, entityOperator', suggestion: 'storage' },
  { what: 'a misspelt key of a region', change: { 'regions[1].tsbcluster': 'west' }, path: 'regions[1].tsbcluster', found: 'a key that does not exist', allowed: 'name, context, kubeconfig, tsbCluster, locality, replicas, gateway', suggestion: 'tsbCluster' },
  { what: 'a misspelt key far inside', change: { 'regions[0].gateway.service.anotations': {} }, path: 'regions[0].gateway.service.anotations', found: 'a key that does not exist', allowed: 'type, annotations, address, internal', suggestion: 'annotations' },
  { what: 'a key of nobody', change: { 'tier1.colour': 'red' }, path: 'tier1.colour', found: 'a key that does not exist', allowed: 'context, kubeconfig, tsbCluster, namespace, name, mode, weights, active, retries, tls, service, dns' },
  { what: 'a key that reaches for the prototype', change: { constructor: {} }, path: 'constructor', found: 'a key that does not exist', allowed: 'hostname, kubeconfig, kafka, regions, bridge, tsb, tier1, operators, generators, checks, gcp' },
  { what: 'a missing concern', change: { tsb: undefined }, path: 'tsb', found: 'nothing', allowed: 'keys with values: context, kubeconfig, namespace, organization, tenant, workspaces, settings, groups, api, acceptedWhen, envoyFilters, setup' },
  { what: 'a list for a concern', change: { tier1: [] }, path: 'tier1', found: '[]', allowed: 'keys with values: context, kubeconfig, tsbCluster, namespace, name, mode, weights, active, retries, tls, service, dns' },
  { what: 'nothing for a concern', change: { bridge: null }, path: 'bridge', found: 'null', allowed: 'keys with values: name, namespace, port, version, service, producer, consumer, admin, executorThreads, timeouts, resources, probes, spread, maxUnavailable, authentication, logging, metrics, injection' },
  { what: 'text for yes or no', change: { checks: 'maybe' }, path: 'checks', found: '"maybe"', allowed: 'true or false' },
  { what: 'no kubeconfig', change: { kubeconfig: undefined }, path: 'kubeconfig', found: 'nothing', allowed: 'the path of a kubeconfig file with these contexts: kafka, east, west, central' },
  { what: 'a kubeconfig that is not there', change: { kubeconfig: 'absent' }, path: 'kubeconfig', found: '"absent" (DIRECTORY/absent: no such file)', allowed: 'the path of a kubeconfig file' },
  { what: 'a kubeconfig that is none', change: { kubeconfig: 'broken' }, path: 'kubeconfig', found: '"broken" (DIRECTORY/broken: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 12)', allowed: 'the path of a kubeconfig file' },
  { what: 'one cluster’s kubeconfig that is not there', change: { 'kafka.kubeconfig': 'absent' }, path: 'kafka.kubeconfig', found: '"absent" (DIRECTORY/absent: no such file)', allowed: 'the path of a kubeconfig file' },
  { what: 'one context in two files', change: { 'tier1.kubeconfig': 'other' }, path: 'tier1.context', found: '"central"', allowed: 'one name for one cluster: tsb takes the same context from DIRECTORY/kubeconfig; rename it in one of the two' },
  { what: 'Kafka in an unknown context', change: { 'kafka.context': 'kakfa' }, path: 'kafka.context', found: '"kakfa"', allowed: 'a complete context of DIRECTORY/kubeconfig: central, east, kafka, west', suggestion: 'kafka' },
  { what: 'a region in an unknown context', change: { 'regions[1].context': 'wset' }, path: 'regions[1].context', found: '"wset"', allowed: 'a complete context of DIRECTORY/kubeconfig: central, east, kafka, west', suggestion: 'west' },
  { what: 'TSB in a context that resembles none', change: { 'tsb.context': 'mars' }, path: 'tsb.context', found: '"mars"', allowed: 'a complete context of DIRECTORY/kubeconfig: central, east, kafka, west' },
  { what: 'an incomplete context', change: { 'tsb.context': 'half' }, path: 'tsb.context', found: '"half"', allowed: 'a complete context of DIRECTORY/kubeconfig: central, east, kafka, west' },
  { what: 'an empty context', change: { 'kafka.context': '' }, path: 'kafka.context', found: '""', allowed: 'text that is not empty' },
  { what: 'a GKE cluster that nobody uses', change: { gcp: { project: 'my-project', clusters: { eats: { name: 'c', location: 'us-east1' } } } }, path: 'gcp.clusters.eats', found: '{"name":"c","location":"us-east1"}', allowed: 'a context that another concern names: kafka, east, west, central', suggestion: 'east' },
  { what: 'a GKE cluster with a kubeconfig', change: { 'regions[0].kubeconfig': 'kubeconfig', gcp: { project: 'my-project', clusters: { east: { name: 'c', location: 'us-east1' } } } }, path: 'regions[0].kubeconfig', found: '"kubeconfig"', allowed: 'nothing: gcp.clusters says how "east" is reached' },
  { what: 'one GKE cluster under two names', change: { gcp: { project: 'my-project', clusters: { east: { name: 'c', location: 'us-east1' }, west: { name: 'c', location: 'us-east1' } } } }, path: 'gcp.clusters.west', found: '{"name":"c","location":"us-east1"}', allowed: 'another cluster: gcp.clusters.east is the same' },
  { what: 'a GKE location that is none', change: { gcp: { project: 'my-project', clusters: { east: { name: 'c', location: 'Virginia' } } } }, path: 'gcp.clusters.east.location', found: '"Virginia"', allowed: 'a region or zone, such as us-east1 or us-east1-b' },
  { what: 'one region', change: { regions: [{ name: 'east', context: 'east' }] }, path: 'regions', found: '[{"name":"east","context":"east"}]', allowed: 'two regions or more, or there is nothing to fail over to' },
  { what: 'regions as text', change: { regions: 'east, west' }, path: 'regions', found: '"east, west"', allowed: 'a list of elements with the keys name, context, kubeconfig, tsbCluster, locality, replicas, gateway' },
  { what: 'a region as text', change: { 'regions[1]': 'west' }, path: 'regions[1]', found: '"west"', allowed: 'keys with values: name, context, kubeconfig, tsbCluster, locality, replicas, gateway' },
  { what: 'a region name with an underscore', change: { 'regions[0].name': 'us_east' }, path: 'regions[0].name', found: '"us_east"', allowed: 'a lower-case name of letters, digits and inner hyphens' },
  { what: 'no bridges in a region', change: { 'regions[0].replicas': 0 }, path: 'regions[0].replicas', found: '0', allowed: 'a whole number from 1 to 100' },
  { what: 'half a bridge', change: { 'regions[0].replicas': 1.5 }, path: 'regions[0].replicas', found: '1.5', allowed: 'a whole number from 1 to 100' },
  { what: 'two regions of one name', change: { 'regions[1].name': 'east' }, path: 'regions[1].name', found: '"east"', allowed: 'a name that is not taken (by regions[0].name)' },
  { what: 'two regions in one cluster', change: { 'regions[1].context': 'east' }, path: 'regions[1].context', found: '"east"', allowed: 'a cluster that is not taken (by regions[0].context)' },
  { what: 'two regions with one TSB cluster', change: { 'regions[1].tsbCluster': 'east' }, path: 'regions[1].tsbCluster', found: '"east"', allowed: 'a TSB cluster that is not taken (by regions[0].tsbCluster)' },
  { what: 'two regions in one place', change: { 'regions[0].locality': { region: 'us-east1' }, 'regions[1].locality': { region: 'us-east1', zone: 'b' } }, path: 'regions[1].locality', found: '{"region":"us-east1","zone":"b"}', allowed: 'a place that no other region is in: regions[0] is there, and would be lost together with this one' },
  { what: 'two topics of one name', change: { 'kafka.topics': [{ name: 'a.b' }, { name: 'a_b' }] }, path: 'kafka.topics[1].name', found: '"a_b"', allowed: 'a name (dots and underscores count as the same) that is not taken (by kafka.topics[0].name)' },
  { what: 'two listeners of one name', change: { 'kafka.listeners': [{ type: 'loadbalancer' }, { type: 'internal', port: 9095 }] }, path: 'kafka.listeners[1].name', found: 'nothing, so "external"', allowed: 'a name that is not taken (by kafka.listeners[0].name)' },
  { what: 'two listeners on one port', change: { 'kafka.listeners': [{ type: 'loadbalancer' }, { type: 'internal', name: 'tls' }] }, path: 'kafka.listeners[1].port', found: 'nothing, so 9094', allowed: 'a port that is not taken (by kafka.listeners[0].port)' },
  { what: 'a region called like Kafka’s bootstrap', change: { 'kafka.domain': 'bridge.example', 'regions[0].name': 'bootstrap' }, path: 'regions[0].name', found: '"bootstrap"', allowed: 'another name: with it the region is called bootstrap.bridge.example, which Kafka advertises' },
  { what: 'clients’ host name for Kafka', change: { hostname: 'bootstrap.kafka.example' }, path: 'hostname', found: '"bootstrap.kafka.example"', allowed: 'a host name that Kafka does not advertise' },
  { what: 'tier1 with the TSB cluster of a region', change: { 'tier1.tsbCluster': 'east' }, path: 'tier1.tsbCluster', found: '"east"', allowed: 'one name for one cluster: regions[0] has context "east" and tsbCluster "east"' },
  { what: 'one workspace for both sides', change: { 'tsb.workspaces': { edge: 'bridges' } }, path: 'tsb.workspaces.edge', found: '"bridges"', allowed: 'a workspace that is not taken (by tsb.workspaces.bridges)' },
  { what: 'a group of tier1 called like a region’s', change: { 'tsb.groups': { edge: 'bridges-east' } }, path: 'tsb.groups.edge', found: '"bridges-east"', allowed: 'a name that no group of the regions has' },
  { what: 'one group and one gateway name for all regions', change: { 'tsb.groups': { bridges: 'all' } }, path: 'regions[1].gateway.name', found: 'nothing, so "kafka-bridge-gateway"', allowed: 'one that no other region has, as all gateways are in one group (tsb.groups.bridges)' },
  { what: 'Kafka in the bridge’s namespace', change: { 'kafka.context': 'east', 'kafka.namespace': 'kafka-bridge' }, path: 'kafka.namespace', found: '"kafka-bridge"', allowed: 'a namespace in this cluster that is not taken (by the bridge of regions[0])' },
  { what: 'tier1 in TSB’s namespace', change: { 'tier1.namespace': 'tsb-conf' }, path: 'tier1.namespace', found: '"tsb-conf"', allowed: 'a namespace in this cluster that is not taken (by the TSB objects)' },
  { what: 'generators in tier1’s namespace', change: { generators: { topic: 't', namespace: 'edge' } }, path: 'generators.namespace', found: '"edge"', allowed: 'a namespace in this cluster that is not taken (by tier1)' },
  { what: 'an operator in Kafka’s namespace', change: { operators: { strimzi: { install: true, namespace: 'kafka-cluster' } } }, path: 'operators.strimzi.namespace', found: '"kafka-cluster"', allowed: 'a namespace in this cluster that is not taken (by Kafka)' },
  { what: 'a namespace of Kubernetes’ own', change: { 'kafka.namespace': 'kube-system' }, path: 'kafka.namespace', found: '"kube-system"', allowed: 'a namespace of its own: the program makes it, and removes it with everything in it' },
  { what: 'a gateway called like a Service of the bridge', change: { 'regions[0].gateway': { name: 'kafka-bridge-http' } }, path: 'regions[0].gateway.name', found: '"kafka-bridge-http"', allowed: 'a name that no Service of the bridge has (kafka-bridge-http, kafka-bridge-local, kafka-bridge-bridge-service)' },
  { what: 'a Kafka name that is too long for its Services', change: { 'kafka.name': 'k'.repeat(40) }, path: 'kafka.name', found: '"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"', allowed: 'shorter by 2: it gives the name kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk-kafka-external-bootstrap, and 63 characters is the limit' },
  { what: 'a bridge name that is too long for its Service', change: { 'bridge.name': 'b'.repeat(49) }, path: 'bridge.name', found: '"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"', allowed: 'shorter by 1: it gives the name bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-bridge-service, and 63 characters is the limit' },
  { what: 'a region name that is too long for its group', change: { 'regions[0].name': 'r'.repeat(60) }, path: 'regions[0].name', found: '"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"', allowed: 'shorter by 5: it gives the name bridges-rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr, and 63 characters is the limit' },
  { what: 'a host name that is too long with a region’s', change: { hostname: `${'a.'.repeat(119)}example`, 'regions[0].name': 'northeast' }, path: 'regions[0].name', found: '"northeast"', allowed: 'shorter by 2: it gives the name northeast.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.….a.a.a.a.a.a.example, and 253 characters is the limit' },
  { what: 'a domain that is too long with a broker’s', change: { 'kafka.domain': `${'a.'.repeat(120)}example` }, path: 'kafka.domain', found: '"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a....', allowed: 'shorter by 4: it gives the name bootstrap.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.….a.a.a.a.a.a.example, and 253 characters is the limit' },
  { what: 'a namespace that is too long in a Route’s host', change: { 'kafka.listeners': [{ type: 'route' }], 'kafka.namespace': 'n'.repeat(50) }, path: 'kafka.namespace', found: '"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"', allowed: 'shorter by 9: it gives the name kafka-kafka-bootstrap-nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn, and 63 characters is the limit' },
  { what: 'two brokers', change: { 'kafka.brokers': 2 }, path: 'kafka.brokers', found: '2', allowed: 'a whole number from 3 to 99' },
  { what: 'brokers as text', change: { 'kafka.brokers': '3' }, path: 'kafka.brokers', found: '"3"', allowed: 'a whole number from 3 to 99' },
  { what: 'a version of two numbers', change: { 'kafka.version': '4.3' }, path: 'kafka.version', found: '"4.3"', allowed: 'a version of three numbers, such as 4.3.1' },
  { what: 'a version as a number', change: { 'kafka.version': 4.3 }, path: 'kafka.version', found: '4.3', allowed: 'text: a version of three numbers, such as 4.3.1' },
  { what: 'a size without meaning', change: { 'kafka.storage': { size: '1 GB' } }, path: 'kafka.storage.size', found: '"1 GB"', allowed: 'a Kubernetes quantity, such as 10Gi' },
  { what: 'a listener of an unknown type', change: { 'kafka.listeners': [{ type: 'loadBalancer' }] }, path: 'kafka.listeners[0].type', found: '"loadBalancer"', allowed: 'loadbalancer, route, nodeport, ingress, internal', suggestion: 'loadbalancer' },
  { what: 'a listener without a type', change: { 'kafka.listeners': [{ port: 9094 }] }, path: 'kafka.listeners[0].type', found: 'nothing', allowed: 'loadbalancer, route, nodeport, ingress, internal' },
  { what: 'no listeners', change: { 'kafka.listeners': [] }, path: 'kafka.listeners', found: '[]', allowed: 'one listener or more' },
  { what: 'only an internal listener', change: { 'kafka.listeners': [{ type: 'internal' }] }, path: 'kafka.listeners', found: '[{"type":"internal"}]', allowed: 'at least one that is not internal: bridges come from other clusters' },
  { what: 'a listener from outside without TLS', change: { 'kafka.listeners': [{ type: 'nodeport', tls: false }] }, path: 'kafka.listeners[0].tls', found: 'false', allowed: 'true: bridges come in from other clusters by this listener, the first that is not internal' },
  { what: 'a route without TLS', change: { 'kafka.listeners': [{ type: 'loadbalancer' }, { type: 'route', name: 'r', port: 9095, tls: false }] }, path: 'kafka.listeners[1].tls', found: 'false', allowed: 'true: a listener of type route is told apart by TLS' },
  { what: 'client certificates without TLS', change: { 'kafka.listeners': [{ type: 'loadbalancer' }, { type: 'internal', name: 'plain', port: 9092, tls: false, authentication: 'tls' }] }, path: 'kafka.listeners[1].authentication', found: '"tls"', allowed: 'scram-sha-512: without TLS there is no client certificate' },
  { what: 'a class for a route', change: { 'kafka.listeners': [{ type: 'route', class: 'nginx' }] }, path: 'kafka.listeners[0].class', found: '"nginx"', allowed: 'only with type: ingress or loadbalancer' },
  { what: 'annotations of an internal listener', change: { 'kafka.listeners': [{ type: 'loadbalancer' }, { type: 'internal', name: 'tls', port: 9093, annotations: { a: 'b' } }] }, path: 'kafka.listeners[1].annotations', found: '{"a":"b"}', allowed: 'nothing: an internal listener has no object of its own' },
  { what: 'a port of Strimzi’s own', change: { 'kafka.listeners': [{ type: 'route', port: 9404 }] }, path: 'kafka.listeners[0].port', found: '9404', allowed: 'a port that Strimzi does not use itself (9404, 9999)' },
  { what: 'a low listener port', change: { 'kafka.listeners': [{ type: 'route', port: 443 }] }, path: 'kafka.listeners[0].port', found: '443', allowed: 'a whole number from 9092 to 65535' },
  { what: 'a listener name with a hyphen', change: { 'kafka.listeners': [{ type: 'route', name: 'to-west' }] }, path: 'kafka.listeners[0].name', found: '"to-west"', allowed: '1 to 11 lower-case letters and digits' },
  { what: 'Kafka that exists and is made', change: { kafka: { context: 'kafka', existing: { bootstrapServers: 'k:9094', caCertificate: { file: 'root.crt' } } } }, path: 'kafka.context', found: '"kafka"', allowed: 'nothing beside existing' },
  { what: 'bootstrap servers without a port', change: { kafka: { existing: { bootstrapServers: 'kafka.example', caCertificate: { file: 'root.crt' } } } }, path: 'kafka.existing.bootstrapServers', found: '"kafka.example"', allowed: 'host:port, or several with commas and no spaces between' },
  { what: 'a CA file that is not there', change: { kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: { file: 'absent.crt' } } } }, path: 'kafka.existing.caCertificate.file', found: '"absent.crt"', allowed: 'the path of a PEM file: DIRECTORY/absent.crt does not exist' },
  { what: 'a CA file that is none', change: { kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: { file: 'kubeconfig' } } } }, path: 'kafka.existing.caCertificate.file', found: '0 PEM blocks', allowed: 'one CA certificate: bridges take only the first of a file' },
  { what: 'a leaf for a CA', change: { kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: { file: 'leaf.crt' } } } }, path: 'kafka.existing.caCertificate.file', found: 'the certificate of CN=test leaf, which is no CA’s', allowed: 'the CA certificate that signed the listener’s' },
  { what: 'a certificate’s key in the CA file', change: { kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: { file: 'with-key.pem' } } } }, path: 'kafka.existing.caCertificate.file', found: 'a private key', allowed: 'one CA certificate and nothing else' },
  { what: 'a CA certificate that is no PEM', change: { kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: 'abc' } } }, path: 'kafka.existing.caCertificate', found: '"abc"', allowed: 'a certificate as PEM' },
  { what: 'an unknown source of certificates', change: { 'kafka.certificate': { source: 'own' } }, path: 'kafka.certificate.source', found: '"own"', allowed: 'own-root, issuer, secret, self-signed' },
  { what: 'an issuer without its source', change: { 'kafka.certificate': { issuer: { name: 'i', kind: 'Issuer' } } }, path: 'kafka.certificate.issuer', found: '{"name":"i","kind":"Issuer"}', allowed: 'only with source: issuer' },
  { what: 'an issuer of an unknown kind', change: { 'kafka.certificate': { source: 'issuer', issuer: { name: 'i', kind: 'clusterissuer' } } }, path: 'kafka.certificate.issuer.kind', found: '"clusterissuer"', allowed: 'Issuer, ClusterIssuer', suggestion: 'ClusterIssuer' },
  { what: 'a secret as source without its CA', change: { 'kafka.certificate': { source: 'secret', secret: { name: 's' } } }, path: 'kafka.certificate.caCertificate', found: 'nothing', allowed: 'text: a certificate as PEM, or keys with values: file' },
  { what: 'a self-signed leaf on today’s API', change: { 'kafka.certificate': { source: 'self-signed' } }, path: 'kafka.certificate.source', found: '"self-signed"', allowed: 'own-root, issuer, secret: with self-signed, only for kafka.api v1beta2, every renewal takes the bridges’ trust away' },
  { what: 'hosts that do not cover bootstrap', change: { 'kafka.certificate': { hosts: ['broker-0.kafka.example', 'broker-1.kafka.example', 'broker-2.kafka.example'] } }, path: 'kafka.certificate.hosts', found: '["broker-0.kafka.example","broker-1.kafka.example","broker-2.kafka.example"]', allowed: 'a list that has these, too, as brokers advertise them: bootstrap.kafka.example' },
  { what: 'hosts that do not cover a route', change: { 'kafka.listeners': [{ type: 'route' }], 'kafka.certificate': { source: 'issuer', issuer: { name: 'i', kind: 'Issuer' }, hosts: ['*.kafka.org'] } }, path: 'kafka.certificate.hosts', found: '["*.kafka.org"]', allowed: 'a list that has these, too, as brokers advertise them: kafka-kafka-bootstrap-kafka-cluster.kafka.example, kafka-kafka-0-kafka-cluster.kafka.example, kafka-kafka-1-kafka-cluster.kafka.example, kafka-kafka-2-kafka-cluster.kafka.example' },
  { what: 'a leaf that outlives its root', change: { 'kafka.certificate': { rootDays: 100 } }, path: 'kafka.certificate.leafDays', found: 'nothing, so 365', allowed: 'less than 100 (kafka.certificate.rootDays)' },
  { what: 'ZooKeeper on today’s API', change: { 'kafka.zookeeper': {} }, path: 'kafka.zookeeper', found: '{}', allowed: 'only with kafka.api v1beta2: v1 has no ZooKeeper' },
  { what: 'metadata of a later Kafka', change: { 'kafka.version': '4.2.1', 'kafka.metadataVersion': '4.3' }, path: 'kafka.metadataVersion', found: '"4.3"', allowed: 'none later than Kafka 4.2.1 (kafka.version), which Strimzi would pass over' },
  { what: 'a metadata version with ZooKeeper', change: { 'kafka.api': 'v1beta2', 'kafka.version': '3.5.0', 'kafka.metadataVersion': '3.5', operators: { strimzi: { version: '0.36.0' } } }, path: 'kafka.metadataVersion', found: '"3.5"', allowed: 'only with kafka.api v1: ZooKeeper keeps the metadata otherwise' },
  { what: 'an even number of ZooKeepers', change: { 'kafka.api': 'v1beta2', 'kafka.version': '3.4.0', 'kafka.zookeeper': { replicas: 4 }, operators: { strimzi: { version: '0.36.0' } } }, path: 'kafka.zookeeper.replicas', found: '4', allowed: 'an odd number: an even one survives no more losses than one less' },
  { what: 'a topic with more replicas than brokers', change: { 'kafka.topics': [{ name: 't', replicas: 4 }] }, path: 'kafka.topics[0].replicas', found: '4', allowed: '3 or less, as there are so many brokers' },
  { what: 'a topic that no loss leaves writable', change: { 'kafka.topics': [{ name: 't', config: { 'min.insync.replicas': 3 } }] }, path: 'kafka.topics[0].config["min.insync.replicas"]', found: '3', allowed: 'less than 3 (replicas), or the loss of one broker refuses every record' },
  { what: 'topics without their operator', change: { 'kafka.topics': [{ name: 't' }], 'kafka.entityOperator': { topics: false } }, path: 'kafka.entityOperator.topics', found: 'false', allowed: 'true, or no kafka.topics: without the operator nobody makes them' },
  { what: 'a topic name with a space', change: { 'kafka.topics': [{ name: 'a topic' }] }, path: 'kafka.topics[0].name', found: '"a topic"', allowed: 'at most 249 letters, digits, dots, hyphens and underscores' },
  { what: 'generators of a topic that nobody makes', change: { generators: { topic: 'readings' }, 'kafka.config': { 'auto.create.topics.enable': false } }, path: 'generators.topic', found: '"readings"', allowed: 'one of kafka.topics (there is none), as auto.create.topics.enable is false' },
  { what: 'a setting that the operator makes', change: { 'kafka.config': { 'advertised.listeners': 'x' } }, path: 'kafka.config["advertised.listeners"]', found: '"x"', allowed: 'nothing: the operator sets it itself' },
  { what: 'a list for a setting', change: { 'kafka.config': { 'log.retention.hours': [1] } }, path: 'kafka.config["log.retention.hours"]', found: '[1]', allowed: 'text, a number, true or false' },
  { what: 'records on one broker', change: { 'kafka.config': { 'min.insync.replicas': 1 } }, path: 'kafka.config["min.insync.replicas"]', found: '1', allowed: '2 or more, or one broker alone acknowledges records' },
  { what: 'offsets on two brokers', change: { 'kafka.config': { 'offsets.topic.replication.factor': 2 } }, path: 'kafka.config["offsets.topic.replication.factor"]', found: '2', allowed: '3 or more' },
  { what: 'more copies than brokers', change: { 'kafka.config': { 'offsets.topic.replication.factor': 5 } }, path: 'kafka.config["offsets.topic.replication.factor"]', found: '5', allowed: '3 or less, as there are so many brokers' },
  { what: 'no broker to lose', change: { 'kafka.config': { 'min.insync.replicas': 3 } }, path: 'kafka.config["min.insync.replicas"]', found: '3', allowed: 'less than 3 (default.replication.factor), or the loss of one broker refuses every record' },
  { what: 'leaders that lack records', change: { 'kafka.config': { 'unclean.leader.election.enable': true } }, path: 'kafka.config["unclean.leader.election.enable"]', found: 'true', allowed: 'false: with true acknowledged records are lost' },
  { what: 'a protocol version without ZooKeeper', change: { 'kafka.config': { 'inter.broker.protocol.version': '3.3' } }, path: 'kafka.config["inter.broker.protocol.version"]', found: '"3.3"', allowed: 'only with kafka.api v1beta2' },
  { what: 'a Kafka that the operator does not serve', change: { 'kafka.version': '4.1.2' }, path: 'kafka.version', found: '"4.1.2"', allowed: 'what the operator 1.2.0 serves (operators.strimzi.version): 4.2.0, 4.2.1, 4.3.0, 4.3.1' },
  { what: 'an operator that does not serve the default Kafka', change: { operators: { strimzi: { version: '1.1.0' } } }, path: 'kafka.version', found: 'nothing, so "4.3.1"', allowed: 'what the operator 1.1.0 serves (operators.strimzi.version): 4.2.0, 4.2.1, 4.3.0' },
  { what: 'an API that the operator does not serve', change: { operators: { strimzi: { version: '0.48.0' } }, 'kafka.version': '4.1.0' }, path: 'kafka.api', found: 'nothing, so "v1"', allowed: 'v1beta2: the operator 0.48.0 does not serve v1 (operators.strimzi.version)' },
  { what: 'ZooKeeper with an operator that has none', change: { 'kafka.api': 'v1beta2', 'kafka.version': '4.0.0', operators: { strimzi: { version: '0.46.0' } } }, path: 'kafka.api', found: '"v1beta2"', allowed: 'v1: the operator 0.46.0 runs no ZooKeeper, which ended with 0.45 (operators.strimzi.version)' },
  { what: 'an operator that was never released', change: { operators: { strimzi: { version: '0.45.9' } } }, path: 'operators.strimzi.version', found: '"0.45.9"', allowed: 'a release of Strimzi: 0.36.0, 0.36.1, 0.37.0, 0.38.0, 0.39.0, 0.40.0, 0.41.0, 0.42.0, 0.43.0, 0.44.0, 0.45.0, 0.45.1, 0.45.2, 0.46.0, 0.46.1, 0.47.0, 0.48.0, 0.49.0, 0.49.1, 0.50.0, 0.50.1, 0.51.0, 1.0.0, 1.0.1, 1.1.0, 1.2.0, or a later one', suggestion: '0.45.0' },
  { what: 'a bridge that the operator cannot run', change: { 'bridge.version': '0.33.1' }, path: 'bridge.version', found: '"0.33.1"', allowed: 'a bridge that the operator 1.2.0 can run (operators.strimzi.version): 1.0.0, 1.1.0' },
  { what: 'a chart by name', change: { operators: { strimzi: { chart: 'strimzi/strimzi-kafka-operator' } } }, path: 'operators.strimzi.chart', found: '"strimzi/strimzi-kafka-operator"', allowed: 'oci://…, https://…, or the path of a .tgz file or a folder' },
  { what: 'a chart that is not there', change: { operators: { certManager: { install: true, chart: './charts/cert-manager.tgz' } } }, path: 'operators.certManager.chart', found: '"./charts/cert-manager.tgz"', allowed: 'the path of a chart: DIRECTORY/charts/cert-manager.tgz does not exist' },
  { what: 'a delivery that outlives a try', change: { 'bridge.producer': { deliveryTimeoutMs: 9_000 } }, path: 'bridge.producer.deliveryTimeoutMs', found: '9000', allowed: 'less than 9000 (bridge.timeouts.perTryMs less bridge.producer.maxBlockMs)' },
  { what: 'a request that outlives a delivery', change: { 'bridge.producer': { requestTimeoutMs: 8_000 } }, path: 'bridge.producer.requestTimeoutMs', found: '8000', allowed: 'less than 8000 (bridge.producer.deliveryTimeoutMs)' },
  { what: 'a request that lingers beyond its delivery', change: { 'bridge.producer': { config: { 'linger.ms': 6_000 } } }, path: 'bridge.producer.requestTimeoutMs', found: 'nothing, so 3000', allowed: 'less than 2000 (bridge.producer.deliveryTimeoutMs less linger.ms)' },
  { what: 'a try that outlives its request', change: { 'bridge.timeouts': { perTryMs: 15_000 } }, path: 'bridge.timeouts.perTryMs', found: '15000', allowed: 'less than 15000 (bridge.timeouts.routeMs)' },
  { what: 'polls longer than the idle limit', change: { 'bridge.timeouts': { consumersMs: 60_000 } }, path: 'bridge.timeouts.consumersMs', found: '60000', allowed: 'less than 60000 (bridge.consumer.idleTimeoutSeconds)' },
  { what: 'heartbeats too rare for the session', change: { 'bridge.consumer': { heartbeatIntervalMs: 3_000 } }, path: 'bridge.consumer.heartbeatIntervalMs', found: '3000', allowed: 'less than 3000 (half of bridge.consumer.sessionTimeoutMs)' },
  { what: 'a session that brokers refuse', change: { 'kafka.config': { 'group.min.session.timeout.ms': 10_000 } }, path: 'bridge.consumer.sessionTimeoutMs', found: 'nothing, so 6000', allowed: 'from 10000 to 1800000, as kafka.config says with group.min.session.timeout.ms and group.max.session.timeout.ms' },
  { what: 'an admin client that ends before its request', change: { 'bridge.admin': { config: { 'default.api.timeout.ms': 1_000 } } }, path: 'bridge.admin.config["default.api.timeout.ms"]', found: '1000', allowed: '30000 or more (request.timeout.ms)' },
  { what: 'a time in words', change: { 'bridge.timeouts': { routeMs: '15s' } }, path: 'bridge.timeouts.routeMs', found: '"15s"', allowed: 'a whole number from 1 to 600000' },
  { what: 'a setting of a client in the wrong place', change: { 'bridge.producer': { config: { 'delivery.timeout.ms': 1 } } }, path: 'bridge.producer.config["delivery.timeout.ms"]', found: '1', allowed: 'nothing here: it is bridge.producer.deliveryTimeoutMs' },
  { what: 'records that one broker acknowledges', change: { 'bridge.producer': { config: { acks: 1 } } }, path: 'bridge.producer.config.acks', found: '1', allowed: 'all: otherwise a record that was acknowledged is lost with its broker' },
  { what: 'a group for all consumers', change: { 'bridge.consumer': { config: { 'group.id': 'g' } } }, path: 'bridge.consumer.config["group.id"]', found: '"g"', allowed: 'nothing: the operator sets it itself' },
  { what: 'the bridge’s management port', change: { 'bridge.port': 8081 }, path: 'bridge.port', found: '8081', allowed: 'a port that neither the bridge’s management (8081) nor a sidecar (15000 to 15090) has' },
  { what: 'more memory asked for than allowed', change: { 'bridge.resources': { requests: { memory: '1Gi' }, limits: { memory: '512Mi' } } }, path: 'bridge.resources.requests.memory', found: '"1Gi"', allowed: '512Mi or less (bridge.resources.limits.memory)' },
  { what: 'CPUs as a number', change: { 'bridge.resources': { requests: { cpu: 1 } } }, path: 'bridge.resources.requests.cpu', found: '1', allowed: 'text: an amount of CPUs in quotes, such as "500m" or "2"' },
  { what: 'an unknown level of a logger', change: { 'bridge.logging': { 'rootLogger.level': 'VERBOSE' } }, path: 'bridge.logging["rootLogger.level"]', found: '"VERBOSE"', allowed: 'OFF, FATAL, ERROR, WARN, INFO, DEBUG, TRACE, ALL' },
  { what: 'injection that is switched off', change: { 'bridge.injection': 'disabled' }, path: 'bridge.injection', found: '"disabled"', allowed: 'enabled, or keys with values: revision' },
  { what: 'a revision that is none', change: { 'bridge.injection': { revision: 'A' } }, path: 'bridge.injection.revision', found: '"A"', allowed: 'a lower-case name of letters, digits and inner hyphens' },
  { what: 'an unknown way to authenticate', change: { 'bridge.authentication': { type: 'plain' } }, path: 'bridge.authentication.type', found: '"plain"', allowed: 'tls, scram-sha-512' },
  { what: 'authentication that the listener does not ask for', change: { 'bridge.authentication': { type: 'tls', secret: { name: 's' } } }, path: 'bridge.authentication', found: '{"type":"tls","secret":{"name":"s"}}', allowed: 'nothing: the listener external asks for none (kafka.listeners[0].authentication)' },
  { what: 'no authentication where the listener asks for it', change: { 'kafka.listeners': [{ type: 'loadbalancer', authentication: 'scram-sha-512' }] }, path: 'bridge.authentication', found: 'nothing', allowed: 'type: scram-sha-512, as kafka.listeners[0].authentication says' },
  { what: 'a password beside its Secret', change: { 'kafka.listeners': [{ type: 'loadbalancer', authentication: 'scram-sha-512' }], 'bridge.authentication': { type: 'scram-sha-512', username: 'u', password: 'hunter2', secret: { name: 's' } } }, path: 'bridge.authentication.password', found: 'a secret in plain text', allowed: 'no secret itself: where one is needed, a Secret in the cluster holds it, and is named' },
  { what: 'a password for a Secret', change: { 'kafka.listeners': [{ type: 'loadbalancer', authentication: 'scram-sha-512' }], 'bridge.authentication': { type: 'scram-sha-512', username: 'u', secret: 'hunter2' } }, path: 'bridge.authentication.secret', found: 'text that may be a secret', allowed: 'the name of a Secret in the cluster, never the secret itself, as keys with values: name, key' },
  { what: 'a password in a setting', change: { 'bridge.producer': { config: { 'sasl.jaas.config': 'org.apache…ScramLoginModule required username="u" password="hunter2";' } } }, path: 'bridge.producer.config["sasl.jaas.config"]', found: 'a password in plain text', allowed: 'no secret itself: where one is needed, a Secret in the cluster holds it, and is named' },
  { what: 'a private key for a Secret’s name', change: { 'tier1.tls': { source: 'secret', secret: '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----' } }, path: 'tier1.tls.secret', found: 'a private key in plain text', allowed: 'no secret itself: where one is needed, a Secret in the cluster holds it, and is named' },
  { what: 'a password in a chart’s address', change: { operators: { strimzi: { chart: 'https://me:hunter2@charts.example/strimzi' } } }, path: 'operators.strimzi.chart', found: 'a password in plain text', allowed: 'no secret itself: where one is needed, a Secret in the cluster holds it, and is named' },
  { what: 'a password among a chart’s values', change: { operators: { strimzi: { values: { registry: { password: 'hunter2' } } } } }, path: 'operators.strimzi.values.registry.password', found: 'a secret in plain text', allowed: 'no secret itself: where one is needed, a Secret in the cluster holds it, and is named' },
  { what: 'a value of Pulumi’s encryption', change: { 'tsb.organization': { secure: 'v1:abc' } }, path: 'tsb.organization', found: 'an encrypted value (secure:)', allowed: 'plain values only: nothing here is secret. Where a secret is needed, its Secret in the cluster is named' },
  { what: 'a concern in Pulumi’s encryption', change: { generators: { secure: 'v1:abc' } }, path: 'generators', found: 'an encrypted value (secure:)', allowed: 'plain values only: nothing here is secret. Where a secret is needed, its Secret in the cluster is named' },
  { what: 'an unknown mode', change: { 'tier1.mode': 'failovr' }, path: 'tier1.mode', found: '"failovr"', allowed: 'failover, weighted', suggestion: 'failover' },
  { what: 'weights in failover mode', change: { 'tier1.weights': { east: 50, west: 50 } }, path: 'tier1.weights', found: '{"east":50,"west":50}', allowed: 'only with mode: weighted, which fails nothing over' },
  { what: 'weighted mode without weights', change: { 'tier1.mode': 'weighted' }, path: 'tier1.weights', found: 'nothing', allowed: 'a weight for every region (east, west), 100 in all' },
  { what: 'weights that do not sum to 100', change: { 'tier1.mode': 'weighted', 'tier1.weights': { east: 50, west: 40 } }, path: 'tier1.weights', found: '{"east":50,"west":40}', allowed: '100 in all: this is 90' },
  { what: 'a weight for no region', change: { 'tier1.mode': 'weighted', 'tier1.weights': { east: 50, west: 50, wset: 0 } }, path: 'tier1.weights.wset', found: 'a weight for no region', allowed: 'the name of a region: east, west', suggestion: 'west' },
  { what: 'a region without a weight', change: { 'tier1.mode': 'weighted', 'tier1.weights': { east: 100 } }, path: 'tier1.weights.west', found: 'nothing', allowed: 'a weight for every region; 0 for one that is to get nothing' },
  { what: 'a weight above 100', change: { 'tier1.mode': 'weighted', 'tier1.weights': { east: 150, west: 0 } }, path: 'tier1.weights.east', found: '150', allowed: 'a whole number from 0 to 100' },
  { what: 'a first region that is none', change: { 'tier1.active': { first: 'esat' } }, path: 'tier1.active.first', found: '"esat"', allowed: 'the name of a region: east, west', suggestion: 'east' },
  { what: 'a first region beside weights', change: { 'tier1.mode': 'weighted', 'tier1.weights': { east: 50, west: 50 }, 'tier1.active': { first: 'east' } }, path: 'tier1.active', found: '{"first":"east"}', allowed: 'all: with mode weighted the weights say who gets requests' },
  { what: 'a first region for the deprecated kinds', change: { 'tsb.api': 'tier1gateway', 'tier1.active': { first: 'east' } }, path: 'tier1.active', found: '{"first":"east"}', allowed: 'all: the deprecated kinds cannot rank regions (tsb.api); or mode weighted, which fails nothing over' },
  { what: 'TLS without a source', change: { 'tier1.tls': {} }, path: 'tier1.tls.source', found: 'nothing', allowed: 'secret, cert-manager, self-signed' },
  { what: 'TLS by cert-manager without an issuer', change: { 'tier1.tls': { source: 'cert-manager' } }, path: 'tier1.tls.issuer', found: 'nothing', allowed: 'keys with values: name, kind' },
  { what: 'an issuer for a Secret that exists', change: { 'tier1.tls': { source: 'secret', issuer: { name: 'i', kind: 'Issuer' } } }, path: 'tier1.tls.issuer', found: '{"name":"i","kind":"Issuer"}', allowed: 'only with source: cert-manager' },
  { what: 'two publishers of one name', change: { 'tier1.dns': 'external-dns', gcp: { project: 'my-project', dnsZone: 'zone' } }, path: 'gcp.dnsZone', found: '"zone"', allowed: 'nothing beside tier1.dns: external-dns: two would write the same records' },
  { what: 'two addresses of tier1', change: { 'tier1.service': { address: '10.0.0.1' }, gcp: { project: 'my-project', region: 'us-east1', staticAddress: 'a' } }, path: 'gcp.staticAddress', found: '"a"', allowed: 'nothing beside tier1.service.address: tier1 has one address' },
  { what: 'a static address nowhere', change: { gcp: { project: 'my-project', staticAddress: 'a' } }, path: 'gcp.region', found: 'nothing', allowed: 'the region of the address that gcp.staticAddress reserves' },
  { what: 'a static address of no load balancer', change: { 'tier1.service': { type: 'NodePort', address: '10.0.0.1' }, gcp: { project: 'my-project', region: 'us-east1', staticAddress: 'a' } }, path: 'gcp.staticAddress', found: '"a"', allowed: 'nothing beside tier1.service.address: tier1 has one address' },
  { what: 'an address that is none', change: { 'tier1.service': { address: 'tier1.example' } }, path: 'tier1.service.address', found: '"tier1.example"', allowed: 'an IP address' },
  { what: 'an internal load balancer that is none', change: { 'regions[0].gateway': { service: { type: 'NodePort', address: '10.0.0.1', internal: 'gke' } } }, path: 'regions[0].gateway.service.internal', found: '"gke"', allowed: 'only with type: LoadBalancer' },
  { what: 'a port of nodes without an address', change: { 'tier1.service': { type: 'NodePort' } }, path: 'tier1.service.address', found: 'nothing', allowed: 'the address by which other clusters and clients reach it, as type NodePort gives it none' },
  { what: 'an address for a load balancer that takes none', change: { 'tier1.service': { internal: 'aws', address: '10.0.0.1' } }, path: 'tier1.service.address', found: '"10.0.0.1"', allowed: 'nothing with internal: aws: its load balancers take addresses by annotations only' },
  { what: 'an annotation that is no text', change: { 'tier1.service': { annotations: { a: true } } }, path: 'tier1.service.annotations.a', found: 'true', allowed: 'text' },
  { what: 'a tenant that is neither', change: { 'tsb.tenant': ['kafka'] }, path: 'tsb.tenant', found: '["kafka"]', allowed: 'text: a lower-case name of letters, digits and inner hyphens, or keys with values: existing' },
  { what: 'a workspace that exists in a tenant that does not', change: { 'tsb.workspaces': { bridges: { existing: 'b' } } }, path: 'tsb.workspaces.bridges', found: '{"existing":"b"}', allowed: 'a name: a tenant that the program makes has no workspace yet; or tsb.tenant: {existing: …}' },
  { what: 'settings that exist in a workspace that does not', change: { 'tsb.settings': { edge: { existing: 's' } } }, path: 'tsb.settings.edge', found: '{"existing":"s"}', allowed: 'a name: a workspace that the program makes has no settings yet; or tsb.workspaces.edge: {existing: …}' },
  { what: 'settings of one name for both sides', change: { 'tsb.settings': { bridges: 's', edge: 's' } }, path: 'tsb.settings.edge', found: '"s"', allowed: 'a name that is not taken (by tsb.settings.bridges)' },
  { what: 'routes of one name in one group', change: { 'tsb.groups': { bridges: 'all' }, 'regions[0].gateway': { name: 'a', routes: 'r' }, 'regions[1].gateway': { name: 'b', routes: 'r' } }, path: 'regions[1].gateway.routes', found: '"r"', allowed: 'one that no other region has, as all gateways are in one group (tsb.groups.bridges)' },
  { what: 'a group that exists in a workspace that does not', change: { 'tsb.groups': { existing: { edge: 'g' } } }, path: 'tsb.groups.existing.edge', found: '"g"', allowed: 'only with tsb.workspaces.edge: {existing: …}: a workspace that the program makes has no group yet' },
  { what: 'a group for no region', change: { 'tsb.tenant': { existing: 'k' }, 'tsb.workspaces': { bridges: { existing: 'b' } }, 'tsb.groups': { existing: { regions: { wset: 'g' } } } }, path: 'tsb.groups.existing.regions.wset', found: 'a group for no region', allowed: 'the name of a region: east, west', suggestion: 'west' },
  { what: 'a condition that is none', change: { 'tsb.acceptedWhen': 'ACCEPTED' }, path: 'tsb.acceptedWhen', found: '"ACCEPTED"', allowed: 'condition=Name or jsonpath={.path}=value' },
  { what: 'a network of no cluster', change: { 'tsb.setup': { networks: { esat: 'n' } } }, path: 'tsb.setup.networks.esat', found: 'a network of no configured cluster', allowed: 'what TSB calls a cluster: east, west, central', suggestion: 'east' },
  { what: 'a network that is reached and is none', change: { 'tsb.setup': { networks: { east: 'tier2', central: 'tier1' }, reachability: { tier1: ['tier3'] } } }, path: 'tsb.setup.reachability.tier1[0]', found: '"tier3"', allowed: 'a network of tsb.setup.networks: tier2, tier1', suggestion: 'tier2' },
];

describe('the configuration', () => {
  let files: ConfigurationFiles;
  before(() => { files = configurationFiles(); });
  after(() => { files[Symbol.dispose](); });

  for (const { what, change, suggestion, ...expected } of wrong) {
    it(`refuses ${what}`, () => {
      const raw = changed(validConfiguration(), change);
      const problems = problemsOf(raw, { directory: files.directory, contexts: 'checked' });
      const place = (text: string): string => text.replaceAll(files.directory, 'DIRECTORY');
      assert.deepEqual(problems.map((problem) => ({ ...problem, found: place(problem.found), allowed: place(problem.allowed) })), [{ ...expected, suggestion }]);
    });
  }

  it('is told of each of these also beside a problem of another kind', () => {
    for (const { what, change, path } of wrong) {
      const [other, value] = path.startsWith('bridge') ? ['tier1.mode', 'failovr'] : ['bridge.timeouts', { perTryMs: 20_000 }];
      if (other in change || path.startsWith('tier1.')) continue;
      const problems = problemsOf(changed(validConfiguration(), { ...change, [String(other)]: value }), { directory: files.directory, contexts: 'checked' });
      assert.ok(problems.some((problem) => problem.path === path), what);
      // Where the whole concern is wrong there is nothing else to be said of it.
      if (path !== 'bridge') assert.ok(problems.some((problem) => problem.path.startsWith(String(other))), what);
    }
  });

  it('has no problem without any of these', () => {
    assert.deepEqual(problemsOf(validConfiguration(), { directory: files.directory, contexts: 'checked' }), []);
  });
});

/** Sets values at paths such as `regions[0].name`. */
function changed(raw: Record<string, unknown>, change: Wrong['change']): Record<string, unknown> {
  for (const [path, value] of Object.entries(change)) {
    const parts = path.split(/[.[\]]+/).filter((part) => part !== '');
    const last = parts.pop() ?? '';
    const at = parts.reduce<Record<string, unknown>>((object, part) => (object[part] ??= {}) as Record<string, unknown>, raw);
    if (value === undefined) Reflect.deleteProperty(at, last);
    else at[last] = value;
  }
  return raw;
}
