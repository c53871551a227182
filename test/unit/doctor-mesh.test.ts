import assert from 'node:assert/strict';

import { judgeCertificates } from '../../automation/doctor/certificates.ts';
import { Check, lineOf } from '../../automation/doctor/finding.ts';
import { judgeHostnames } from '../../automation/doctor/hostnames.ts';
import { judgeInjection } from '../../automation/doctor/injection.ts';
import type { Look } from '../../automation/doctor/look.ts';
import { judgeMeshRoot } from '../../automation/doctor/mesh.ts';
import { judgeSecretCertificates } from '../../automation/doctor/secret-certificates.ts';
import { judgeNetworks } from '../../automation/doctor/networks.ts';
import { judgeTsbNames } from '../../automation/doctor/tsb.ts';
import { type CertificateOptions, makeCertificate } from '../fixtures/made-certificate.ts';
import { configuration, object, TwoClusters } from './doctor-fixtures.ts';

describe('doctor: names in TSB', () => {
  const two = new TwoClusters();
  const path = '/apis/install.tetrate.io/v1alpha1/namespaces/istio-system/controlplanes/controlplane';
  const named = (clusterName: string) => ({ spec: { managementPlane: { clusterName } } });
  const judged = async (settings = configuration()): Promise<string[]> => (await judgeTsbNames(await two.look({ configuration: settings }))).findings.map(lineOf);

  it('are those of the settings', async () => {
    const { east: one, west: other } = two;
    one.objects.set(path, named('east-1'));
    other.objects.set(path, named('other'));
    const [first, second, third] = await judged();
    assert.match(first ?? '', /^ok .*is east-1 in its ControlPlane and in regions\[0\]\.tsbCluster/);
    assert.match(second ?? '', /^fault .*is other in its ControlPlane, and west-1 in regions\[1\]\.tsbCluster\. Set regions\[1\]\.tsbCluster to other/);
    assert.match(third ?? '', /^ok .*tier1\.tsbCluster/);
  });

  it('cannot be compared, or are nowhere', async () => {
    assert.match((await judged())[0] ?? '', /^warning .*so regions\[0\]\.tsbCluster \(east-1\) cannot be compared/);
    const unset = configuration({ regions: [{ name: 'east', context: 'east' }, { name: 'west', context: 'west' }], tier1: { context: 'east' } });
    assert.match((await judged(unset))[0] ?? '', /^fault .*and regions\[0\]\.tsbCluster is not set\. Onboard/);
  });

  it('fit the settings where these leave them to the clusters', async () => {
    const { east: one, west: other } = two;
    one.objects.set(path, named('east-1'));
    other.objects.set(path, named('west-1'));
    const unset = (setup: object) => configuration({
      regions: ['east', 'west'].map((name) => ({ name, context: name })), tier1: { context: 'east' }, tsb: { context: 'east', organization: 'tetrate', tenant: 'kafka', setup },
    });
    const wrong = unset({ networks: { 'est-1': 'n1', 'west-1': 'n2' } });
    assert.match((await judged(wrong))[3] ?? '', /^fault +TSB name +settings +tsb\.setup\.networks\.est-1: a network of no configured cluster; was east-1 meant\? Expected: what TSB calls a cluster: east-1, west-1/);
    const right = await judgeTsbNames(await two.look({ configuration: unset({ networks: { 'east-1': 'n1', 'west-1': 'n2' }, reachability: { n1: ['n2'] } }) }));
    assert.deepEqual(right.findings.map(({ verdict }) => verdict), ['ok', 'ok', 'ok']);
    assert.match(judgeNetworks(right).map(lineOf).join(), /^warning +networks +west +its network n2 does not reach that of east \(n1\)/, 'by the names that were read');
    other.objects.set(path, named('east-1'));
    assert.match((await judged(unset({})))[3] ?? '', /^fault +TSB name +settings +regions\[1\]\.tsbCluster: nothing, so "east-1"\. Expected: a TSB cluster that is not taken/);
  });
});

describe('doctor: the root of the mesh', () => {
  const two = new TwoClusters();
  const path = '/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert';
  const judged = async (change: Partial<Look> = {}): Promise<string> => (await judgeMeshRoot(await two.look(change))).map(lineOf).join('\n');

  it('is one, two, or missing in some', async () => {
    const { east: one, west: other } = two;
    const [root, another] = await Promise.all(['root', 'another'].map(async (name) => (await makeCertificate(name, { isAuthority: true })).cert));
    one.objects.set(path, { data: { 'root-cert.pem': root } });
    assert.match(await judged(), /^warning .*west has no root, unlike east/);
    other.objects.set('/api/v1/namespaces/istio-system/secrets/cacerts', { data: { 'root-cert.pem': Buffer.from(`${root ?? ''}\n${another ?? ''}`).toString('base64') } });
    assert.match(await judged(), /^ok .*all trust one root/);
    assert.match(await judged(), /^ok .*east, west: the root is good until .*\(364 days\)$/m);
    other.objects.set(path, { data: { 'root-cert.pem': another } });
    assert.match(await judged(), /^fault .*west \([0-9A-F:]+\) has another root than east \([0-9A-F:]+\)\. Give all of them a certificate of one CA/);
  });

  it('ends, soon or already, which is said of the last to end where there are several', async () => {
    const { east: one, west: other } = two;
    const [lasting, soon, over] = await Promise.all([300, 10, -1].map(async (ends) => (await makeCertificate('root', { isAuthority: true, begins: -300, ends })).cert));
    const trust = async (...roots: (string | undefined)[]): Promise<string> => {
      for (const cluster of [one, other]) cluster.objects.set(path, { data: { 'root-cert.pem': roots.join('\n') } });
      return await judged();
    };
    assert.match(await trust(soon), /^ok .*all trust one root.*\nwarning .*east, west: the root is good until .*\(9 days\)\. Renew it in all clusters at once/);
    assert.match(await trust(over), /^fault .*east, west: the root is good until .*, which is over\. Renew/m);
    assert.match(await trust(over, lasting), /\nok .*east, west: the root is good until .*\(299 days\)$/);
  });

  it('is nowhere: then everything is plain, as on the sandbox', async () => {
    assert.match(await judged(), /^warning .*travel plain, or not at all\. Give every cluster/);
    assert.match(await judged({ isSandbox: true }), /^warning .*on the sandbox requests travel plain, unlike anywhere else$/);
  });

  it('is asked of tier1’s cluster, also where no region is', async () => {
    const [root, another] = await Promise.all(['root', 'another'].map(async (name) => (await makeCertificate(name, { isAuthority: true })).cert));
    two.east.objects.set(path, { data: { 'root-cert.pem': root } });
    two.west.objects.set(path, { data: { 'root-cert.pem': another } });
    const apart = configuration({ regions: ['east', 'north'].map((name) => ({ name, context: name, tsbCluster: name })), tier1: { context: 'west', tsbCluster: 'west' } });
    assert.match(await judged({ configuration: apart }), /^fault .*west \([0-9A-F:]+\) has another root than east/);
  });

  it('is not compared with a cluster that does not answer', async () => {
    const { east: one } = two;
    one.objects.set(path, { data: { 'root-cert.pem': (await makeCertificate('root')).cert } });
    assert.match((await judgeMeshRoot(await two.look({}, [one]))).map(lineOf).join(), /^unchecked .*west cannot be asked/);
  });
});

describe('doctor: injection', () => {
  const two = new TwoClusters();
  const path = '/api/v1/namespaces/kafka-bridge/pods';
  const pod = (ready: Record<string, boolean>, staying = false) => {
    const names = Object.keys(ready);
    const statuses = names.map((name) => ({ name, ready: ready[name], state: ready[name] === true ? {} : { waiting: { reason: 'CrashLoopBackOff' } } }));
    return {
      metadata: { name: 'bridge-1' }, spec: { containers: (staying ? names.slice(0, 1) : names).map((name) => ({ name })), initContainers: staying ? names.slice(1).map((name) => ({ name, restartPolicy: 'Always' })) : [{ name: 'istio-init' }] },
      status: { containerStatuses: staying ? statuses.slice(0, 1) : statuses, initContainerStatuses: staying ? statuses.slice(1) : [{ name: 'istio-init', ready: true }] },
    };
  };
  const judged = async (...pods: object[]): Promise<string> => {
    two.east.objects.set(path, { items: pods });
    return lineOf((await judgeInjection(await two.look()))[0] ?? new Check('', '').ok(''));
  };

  it('is 2/2, with either kind of sidecar', async () => {
    assert.match(await judged(pod({ bridge: true, 'istio-proxy': true }), pod({ bridge: true, 'istio-proxy': true }, true)), /^ok .*2 of 2 bridge pods are 2\/2/);
  });

  it('is missing, or not ready', async () => {
    assert.match(await judged(pod({ bridge: true })), /^fault .*pod bridge-1 has no istio-proxy\. Expected: 2\/2/);
    assert.match(await judged(pod({ bridge: false, 'istio-proxy': true })), /^fault .*pod bridge-1 is 1\/2 \(bridge CrashLoopBackOff\)/);
    assert.match(await judged(pod({ bridge: true, 'istio-proxy': false }, true)), /^fault .*1\/2 \(istio-proxy CrashLoopBackOff\)/);
  });

  it('is not asked of a pod that goes', async () => {
    const going = pod({ bridge: true });
    assert.match(await judged({ ...going, metadata: { ...going.metadata, deletionTimestamp: '2026-01-02T03:04:05Z' } }, pod({ bridge: true, 'istio-proxy': true })), /^ok .*1 of 1 bridge pods are 2\/2/);
  });

  it('cannot be seen before there is a bridge', async () => {
    assert.match(await judged(), /^unchecked .*there is no bridge yet/);
  });
});

describe('doctor: certificates', () => {
  const two = new TwoClusters();
  const objects = [object('cert-manager.io/v1', 'Certificate', { name: 'kafka-listener', folder: { context: 'east', namespace: 'kafka' } })];
  const path = '/apis/cert-manager.io/v1/namespaces/kafka/certificates/kafka-listener';
  const days = (count: number): string => new Date(Date.now() + count * 86_400_000).toISOString();
  const judged = async (status?: object): Promise<string> => {
    if (status !== undefined) two.east.objects.set(path, { status });
    return (await judgeCertificates(await two.look({ objects }))).map(lineOf).join();
  };
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] };

  it('are good, near their end, not issued, or not there yet', async () => {
    assert.match(await judged(), /^unchecked .*no such Certificate yet/);
    assert.match(await judged({ ...ready, notBefore: days(-10), notAfter: days(355) }), /^ok .*kafka\/kafka-listener +is good until/);
    assert.match(await judged({ ...ready, notBefore: days(-350), notAfter: days(15) }), /^warning .*\(14 days\)\. See: kubectl/);
    assert.match(await judged({ ...ready, notBefore: days(-350), notAfter: days(-1) }), /^fault .*which is over/);
    assert.match(await judged({ conditions: [{ type: 'Ready', status: 'False', message: 'issuer not found' }], notBefore: days(-10), notAfter: days(5) }), /^fault .*is not issued: issuer not found; the one that is there is good until/);
  });

  it('that live for a day only are not always near their end', async () => {
    assert.match(await judged({ ...ready, notBefore: days(-0.3), notAfter: days(0.7) }), /^ok .*\(16 hours\)/);
    assert.match(await judged({ ...ready, notBefore: days(-0.9), notAfter: days(0.1) }), /^warning/);
  });
});

describe('doctor: certificates in Secrets', () => {
  const two = new TwoClusters();
  const hosts = { dns: ['kafka.invalid', 'east.kafka.invalid', 'west.kafka.invalid'] };
  const judged = async (settings: object): Promise<string[]> => (await judgeSecretCertificates(await two.look({ configuration: configuration(settings) }))).map(lineOf);
  const given = { tier1: { context: 'east', tsbCluster: 'east-1', tls: { source: 'secret', secret: 'own' } } };
  const signed = { tier1: { context: 'east', tsbCluster: 'east-1', tls: { source: 'self-signed' } } };
  const put = async (namespace: string, secret: string, options: CertificateOptions, entry = 'tls.crt'): Promise<void> => {
    const { cert } = await makeCertificate('tier1', options);
    two.east.objects.set(`/api/v1/namespaces/${namespace}/secrets/${secret}`, { data: { [entry]: Buffer.from(cert).toString('base64') } });
  };

  it('of tier1 that are given are good, near their end, or over', async () => {
    await put('edge', 'own', hosts);
    const [line, ...more] = await judged(given);
    assert.deepEqual(more, []);
    assert.match(line ?? '', /^ok +certificate +edge\/own +is good until .*\(364 days\)$/);
    await put('edge', 'own', { ...hosts, begins: -300, ends: 20 });
    assert.match((await judged(given)).join('\n'), /^warning .*\(19 days\)\. Put a new certificate for kafka\.invalid, east\.kafka\.invalid, west\.kafka\.invalid into the Secret/);
    await put('edge', 'own', { ...hosts, begins: -300, ends: -1 });
    assert.match((await judged(given)).join('\n'), /^fault .*which is over/);
  });

  it('of tier1 are for the names that clients call', async () => {
    await put('edge', 'own', { dns: ['kafka.invalid', 'east.kafka.invalid'] });
    assert.match((await judged(given)).join('\n'), /^ok .*\nfault .*edge\/own +is not for west\.kafka\.invalid\. Put a new certificate/);
    await put('edge', 'own', { dns: ['kafka.invalid', '*.kafka.invalid'] });
    assert.equal((await judged(given)).length, 1);
  });

  it('of tier1 that sign themselves are made anew by `up` only', async () => {
    assert.match((await judged(signed)).join('\n'), /^unchecked .*edge\/tier1-tls +there is no such Secret yet/);
    await put('edge', 'tier1-tls', { ...hosts, begins: -336, ends: 29 });
    assert.match((await judged(signed)).join('\n'), /^warning .*\(28 days\)\. Run `kbf up`, which makes it anew then/);
  });

  it('of Kafka that are given are for what brokers advertise', async () => {
    const kafka = { kafka: { context: 'east', domain: 'kafka.example', certificate: { source: 'secret', secret: { name: 'brokers', certificate: 'chain.pem' }, caCertificate: (await makeCertificate('root', { isAuthority: true })).cert } } };
    await put('kafka-cluster', 'brokers', { dns: ['bootstrap.kafka.example', 'broker-0.kafka.example', 'broker-2.kafka.example'], begins: -300, ends: 5 }, 'chain.pem');
    assert.match((await judged(kafka)).join('\n'), /^warning .*kafka-cluster\/brokers +is good until .*\(4 days\).*\nfault .*is not for broker-1\.kafka\.example\./);
  });

  it('are no certificate, not there, not readable, or of nobody', async () => {
    const path = '/api/v1/namespaces/edge/secrets/own';
    assert.match((await judged(given)).join('\n'), /^fault .*there is no Secret with an entry tls\.crt\. Make it first/);
    two.east.objects.set(path, { data: { 'tls.crt': Buffer.from('none').toString('base64') } });
    assert.match((await judged(given)).join('\n'), /^fault .*its entry tls\.crt is no certificate/);
    two.east.statuses.set(path, 403);
    assert.match((await judged(given)).join('\n'), /^unchecked .*cannot be read: HTTP 403/);
    assert.match((await judgeSecretCertificates(await two.look({ configuration: configuration(given) }, []))).map(lineOf).join(), /^unchecked .*its cluster cannot be asked/);
    assert.deepEqual(await judged({}), []);
    assert.deepEqual(await judged({ tier1: { context: 'east', tsbCluster: 'east-1', tls: { source: 'cert-manager', issuer: { name: 'public', kind: 'ClusterIssuer' } } } }), [], 'its Certificate is judged');
  });
});

describe('doctor: host names', () => {
  const two = new TwoClusters();
  const path = '/api/v1/namespaces/edge/services/tier1';
  const judged = async (hostname: string, service?: object): Promise<string[]> => {
    if (service !== undefined) two.east.objects.set(path, service);
    return (await judgeHostnames(await two.look({ configuration: { ...configuration(), hostname } }))).map(lineOf);
  };
  const at = (ip: string) => ({ status: { loadBalancer: { ingress: [{ ip }] } } });

  it('lead to tier1, elsewhere, or nowhere', async () => {
    assert.match((await judged('localhost', at('127.0.0.1'))).join('\n'), /^ok .*localhost.*lead to tier1's load balancer, 127\.0\.0\.1/m);
    assert.match((await judged('localhost', at('10.0.0.1'))).join('\n'), /^warning .*localhost.*lead to .*Expected: tier1's load balancer, 10\.0\.0\.1/m);
    const [line, ...more] = await judged('kafka.invalid');
    assert.deepEqual(more, [], 'what is true of all is said once');
    assert.match(line ?? '', /^warning .*kafka\.invalid, east\.kafka\.invalid, west\.kafka\.invalid: there is no such host name, seen from this machine\. Make a record for 10\.0\.0\.1, or set tier1\.dns; until then: curl --resolve <name>:80:10\.0\.0\.1/);
  });

  it('are published by whom the settings name', async () => {
    two.east.objects.set(path, at('10.0.0.1'));
    const said = async (change: object): Promise<string> => (await judgeHostnames(await two.look({ configuration: configuration(change) }))).map(lineOf).join();
    assert.match(await said({ tier1: { context: 'east', tsbCluster: 'east-1', dns: 'external-dns' } }), /seen from this machine\. Does ExternalDNS publish it\? Until then: curl/);
    assert.match(await said({ gcp: { project: 'my-project', dnsZone: 'zone' } }), /seen from this machine\. Does the zone zone publish it\? Until then: curl/);
  });

  it('are given to curl in the way that takes what tier1’s address is', async () => {
    const name = { status: { loadBalancer: { ingress: [{ hostname: 'lb.invalid' }] } } };
    assert.match((await judged('kafka.invalid', name)).join(), /Make a record for lb\.invalid, or set tier1\.dns; until then: curl --connect-to <name>:80:lb\.invalid:80\.$/);
    assert.match((await judged('localhost', { status: { loadBalancer: { ingress: [{ hostname: 'localhost' }] } } })).join('\n'), /^ok .*localhost.*lead to tier1's load balancer, localhost/m);
  });

  it('lead to what the settings say stands in front of tier1 where its Service is no load balancer', async () => {
    const said = async (hostname: string, type: string, address: string, tier1: object = {}): Promise<string> => {
      const settings = configuration({ tier1: { context: 'east', tsbCluster: 'east-1', service: { type, address: '192.0.2.7' }, ...tier1 } });
      const changed = { ...settings, hostname, tier1: { ...settings.tier1, service: { ...settings.tier1.service, address } } };
      return (await judgeHostnames(await two.look({ configuration: changed }, []))).map(lineOf).join('\n');
    };
    for (const type of ['NodePort', 'ClusterIP']) assert.match(await said('localhost', type, '127.0.0.1'), /^ok .*localhost.*lead to tier1\.service\.address, 127\.0\.0\.1/m);
    assert.match(await said('localhost', 'NodePort', '192.0.2.7'), /^warning .*localhost.*lead to .*Expected: tier1\.service\.address, 192\.0\.2\.7/m);
    assert.match(await said('kafka.invalid', 'NodePort', '192.0.2.7', { tls: { source: 'secret' } }), /until then: curl --resolve <name>:443:192\.0\.2\.7\.$/);
  });

  it('cannot lead anywhere before tier1 has an address', async () => {
    assert.match((await judged('kafka.invalid')).join(), /^unchecked .*there is no Service/);
    assert.match((await judged('kafka.invalid', { status: {} })).join(), /^unchecked .*there is no load balancer/);
  });
});
