import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A directory with the files that configurations name. */
export interface ConfigurationFiles extends Disposable {
  readonly directory: string;
}

/** Kubeconfigs and certificates, right and wrong ones, in a directory that goes when it is disposed of. */
export function configurationFiles(): ConfigurationFiles {
  const directory = mkdtempSync(join(tmpdir(), 'kbf-config-'));
  const write = (name: string, text: string): void => { writeFileSync(join(directory, name), text); };
  const certificate = (name: string): string => fileURLToPath(new URL(`../fixtures/certificates/${name}`, import.meta.url));
  write('kubeconfig', kubeconfigOf({ kafka: {}, central: {}, east: {}, west: {} }));
  write('other', kubeconfigOf({ central: {} }));
  write('two-regions-in-one', kubeconfigOf({ kafka: {}, central: {}, east: {}, west: { server: 'https://EAST.example:443/' } }));
  write('tier1-in-east', kubeconfigOf({ kafka: {}, central: { server: 'https://east.example' }, east: {}, west: {} }));
  write('one-server', kubeconfigOf(Object.fromEntries(['kafka', 'central', 'east', 'west'].map((name) => [name, { server: 'https://10.0.0.1', authority: name }]))));
  write('one-proxy', kubeconfigOf(Object.fromEntries(['kafka', 'central', 'east', 'west'].map((name) => [name, { server: 'https://gate.example', plugin: name }]))));
  write('relative-paths', kubeconfigOf({ kafka: {}, central: {}, east: {}, west: {}, unused: {} }).replaceAll(/"server":"https:\/\/(east|unused)/g, '"certificate-authority":"pki/ca.crt",$&'));
  write('broken', 'clusters: [');
  for (const name of ['root.crt', 'leaf.crt', 'ended.crt']) copyFileSync(certificate(name), join(directory, name));
  const [root, leaf] = ['root.crt', 'leaf.crt'].map((name) => readFileSync(certificate(name), 'utf8'));
  write('with-leaf.crt', `${root}${leaf}`);
  write('with-crl.pem', `${root}-----BEGIN X509 CRL-----\nMIIE\n-----END X509 CRL-----\n`);
  write('cut.crt', `${root}${root?.slice(0, 200)}`);
  write('with-key.pem', `${root}-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n`);
  return { directory, [Symbol.dispose]: () => { rmSync(directory, { recursive: true }); } };
}

/** A configuration with nothing but what has to be there. */
export function validConfiguration(): Record<string, unknown> {
  return {
    hostname: 'bridge.example',
    kubeconfig: 'kubeconfig',
    kafka: { context: 'kafka', domain: 'kafka.example' },
    regions: ['east', 'west'].map((name) => ({ name, context: name, tsbCluster: name })),
    bridge: {},
    tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka' },
    tier1: { context: 'central', tsbCluster: 'central' },
  };
}

/** The walk-through's, on the versions of its time. */
export function seedConfiguration(): Record<string, unknown> {
  const storage = { size: '1Gi' };
  return {
    ...validConfiguration(),
    operators: { strimzi: { version: '0.36.0' } },
    kafka: {
      context: 'kafka', name: 'openshift', api: 'v1beta2', version: '3.4.0', domain: 'apps.example', storage, zookeeper: { storage },
      config: { 'inter.broker.protocol.version': '3.3' },
      listeners: [
        { name: 'plain', port: 9092, type: 'internal', tls: false },
        { name: 'tls', port: 9093, type: 'internal' },
        { name: 'external', port: 9094, type: 'route' },
      ],
      certificate: { source: 'self-signed', hosts: ['bootstrap', '0', '1', '2'].map((part) => `openshift-kafka-${part}-kafka-cluster.apps.example`) },
      entityOperator: { topics: true, users: true },
    },
    bridge: { port: 8282, version: '0.26.0' },
    tier1: { context: 'central', tsbCluster: 'central', mode: 'weighted', weights: { east: 50, west: 50 }, retries: 'tsb-default' },
  };
}

/** How a context's cluster is reached; by default its server has the context's name. */
interface Reached {
  readonly server?: string;
  readonly authority?: string;
  /** What its plugin is told. */
  readonly plugin?: string;
}

function kubeconfigOf(contexts: Readonly<Record<string, Reached>>): string {
  const all = Object.entries(contexts);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: all.map(([name, { server = `https://${name}.example`, authority }]) => ({ name, cluster: { server, ...(authority && { 'certificate-authority-data': authority }) } })),
    users: all.map(([name, { plugin }]) => ({ name, user: plugin === undefined ? {} : { exec: { command: 'tsh', args: [plugin] } } })),
    contexts: [...all.map(([name]) => ({ name, context: { cluster: name, user: name } })), { name: 'half', context: { cluster: 'gone', user: 'east' } }],
  });
}
