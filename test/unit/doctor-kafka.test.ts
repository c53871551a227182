import assert from 'node:assert/strict';
import { createServer as createPlainServer, type AddressInfo, type Server } from 'node:net';
import { createServer } from 'node:tls';

import { lineOf } from '../../automation/doctor/finding.ts';
import { shakeHands } from '../../automation/doctor/handshake.ts';
import { judgeKafka } from '../../automation/doctor/kafka.ts';
import { withHostName } from '../fixtures/host-names.ts';
import { type Made, makeCertificate } from '../fixtures/made-certificate.ts';
import { configuration, object, TwoClusters } from './doctor-fixtures.ts';

const open = new Set<Server>();

async function listening(server: Server, host?: string): Promise<number> {
  open.add(server);
  server.on('connection', (socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

async function broker({ cert, key }: Made): Promise<number> {
  return await listening(createServer({ cert, key }));
}

describe('doctor: Kafka', () => {
  const two = new TwoClusters();
  let root: Made;
  before(async () => { root = await makeCertificate('root', { isAuthority: true, ends: 3_000 }); });
  afterEach(() => {
    for (const server of open) server.close();
    open.clear();
  });
  const leaf = async (change: object = {}): Promise<Made> => await makeCertificate('broker', { dns: ['localhost'], issuer: root, ...change });
  const existing = async (bootstrapServers: string, caCertificate = root.cert): Promise<string[]> =>
    (await judgeKafka(await two.look({ configuration: { ...configuration(), kafka: { existing: { bootstrapServers, caCertificate } } } }))).map(lineOf);

  it('that exists answers by its names, with a certificate that is trusted and lasts', async () => {
    const port = await broker(await leaf());
    const [server, listener, authority, ...more] = await existing(`localhost:${String(port)}`);
    assert.deepEqual(more, []);
    assert.match(server ?? '', /^ok +Kafka +existing +localhost:\d+: answers with a certificate that the settings trusts/);
    assert.match(listener ?? '', /^ok +certificate +Kafka +the listener's is good until .*\(364 days\)/);
    assert.match(authority ?? '', /^ok +certificate +Kafka +the CA that the settings trusts is good until/);
  });

  it('that exists answers by one of the addresses of its name', async () => {
    const [open, closed] = [await listening(createServer(await leaf({ dns: ['kafka.invalid'] })), '127.0.0.1'), 1];
    await withHostName('kafka.invalid', ['::1', '127.0.0.1'], async () => {
      assert.match((await existing(`kafka.invalid:${String(open)}`))[0] ?? '', /^ok .*answers with a certificate that the settings trusts/);
      assert.match((await existing(`kafka.invalid:${String(closed)}`))[0] ?? '', /^warning .*cannot be connected to from this machine \(ECONNREFUSED\)/);
    });
  });

  it('shows a certificate for other names, of another CA, or one that ends', async () => {
    const [others, strange, over, soon] = await Promise.all([leaf({ dns: ['elsewhere'] }), makeCertificate('broker', { dns: ['localhost'] }), leaf({ begins: -300, ends: -1 }), leaf({ begins: -300, ends: 5 })]);
    assert.match((await existing(`localhost:${String(await broker(others))}`))[0] ?? '', /^fault .*shows a certificate for other names\. Issue it for every name/);
    assert.match((await existing(`localhost:${String(await broker(strange))}`))[0] ?? '', /^fault .*shows a certificate that the settings does not trust \([A-Z_]+\)/);
    const ended = (await existing(`localhost:${String(await broker(over))}`)).join('\n');
    assert.match(ended, /^fault .*shows a certificate that has expired/m);
    assert.match(ended, /^fault .*the listener's is good until .*, which is over/m);
    assert.match((await existing(`localhost:${String(await broker(soon))}`))[1] ?? '', /^warning .*the listener's is good until .*\(4 days\)\. Whoever runs that Kafka has to renew it/);
  });

  it('is not there, not known, or does not speak TLS', async () => {
    const plain = await listening(createPlainServer((socket) => { socket.end('hello\n'); }));
    assert.match((await existing(`localhost:${String(plain)}`))[0] ?? '', /^fault .*does not speak TLS: /);
    assert.match((await existing('localhost:1,no.such.invalid:9094')).slice(0, 2).join('\n'), /^warning .*localhost:1: cannot be connected to from this machine \(ECONNREFUSED\).*\nwarning .*no\.such\.invalid:9094: there is no such host name, seen from this machine/);
  });

  it('that the program makes is looked at once it is there, with what each region trusts now', async () => {
    const bridge = (context: string) => object('kafka.strimzi.io/v1', 'KafkaBridge', { folder: { context, namespace: 'kafka-bridge' }, content: { spec: { tls: { trustedCertificates: [{ secretName: 'kafka-ca', certificate: 'ca.crt' }] } } } });
    const port = await broker(await leaf({ dns: ['bootstrap.localhost'] }));
    // A port on a node is one that the test's server can have.
    const kafka = { context: 'east', domain: 'localhost', listeners: [{ type: 'nodeport', name: 'external' }] };
    const judged = async (): Promise<string[]> => (await judgeKafka(await two.look({ configuration: configuration({ hostname: 'kafka.invalid', kafka: { ...kafka, domain: 'kafka.invalid' } }), objects: [bridge('east'), bridge('west')] }))).map(lineOf);
    assert.match((await judged())[0] ?? '', /^unchecked +Kafka +kafka-cluster\/kafka +there is no Kafka yet/);

    const path = '/apis/kafka.strimzi.io/v1/namespaces/kafka-cluster/kafkas/kafka';
    two.east.objects.set(path, { status: { conditions: [{ type: 'Ready', status: 'True' }], listeners: [{ name: 'external', addresses: [{ port }] }] } });
    two.east.objects.set('/api/v1/namespaces/kafka-bridge/secrets/kafka-ca', { data: { 'ca.crt': Buffer.from(root.cert).toString('base64') } });
    two.west.objects.set('/api/v1/namespaces/kafka-bridge/secrets/kafka-ca', { data: { 'ca.crt': Buffer.from((await makeCertificate('old', { isAuthority: true })).cert).toString('base64') } });
    const lines = await judged();
    assert.match(lines[0] ?? '', /^ok .*is ready/);
    assert.match(lines[1] ?? '', /^warning .*bootstrap\.kafka\.invalid:\d+: there is no such host name/);
    assert.deepEqual(lines.filter((line) => line.includes('the CA that')).map((line) => /the CA that \w+ trusts/.exec(line)?.[0]), ['the CA that east trusts', 'the CA that west trusts']);

    const warnings = [{ type: 'Warning', status: 'True', reason: 'MetadataUpdateFailed', message: 'Failed to update metadata version to 4.2' }, { type: 'Warning', status: 'False', reason: 'Gone' }];
    two.east.objects.set(path, { status: { conditions: [...warnings, { type: 'Ready', status: 'True' }] } });
    assert.deepEqual((await judged()).filter((line) => / Kafka +kafka-cluster\/kafka +(is|its)/.test(line)), [
      'ok         Kafka  kafka-cluster/kafka  is ready',
      'warning    Kafka  kafka-cluster/kafka  its operator warns: MetadataUpdateFailed: Failed to update metadata version to 4.2. See: kubectl --context east -n kafka-cluster describe kafka kafka.',
    ]);
    two.east.objects.set(path, { status: { conditions: [...warnings, { type: 'NotReady', status: 'True', reason: 'Error', message: 'no quorum' }] } });
    assert.match((await judged()).find((line) => line.startsWith('fault')) ?? '', /is not ready: NotReady=True Error: no quorum\. See/);
    two.east.objects.set(path, { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Creating', message: 'not yet' }] } });
    assert.match((await judged())[0] ?? '', /^fault .*is not ready: Ready=False Creating: not yet\. See: kubectl --context east -n kafka-cluster describe kafka kafka/);
  });

  it('shows several certificates, of which the first to end is said', async () => {
    const [first, last] = await Promise.all([leaf({ begins: -300, ends: 5 }), leaf()]);
    const [soon, later] = await Promise.all([first, last].map(broker));
    assert.match((await existing(`localhost:${String(later)},localhost:${String(soon)}`)).join('\n'), /^warning .*the listener's is good until .*\(4 days\)\. Whoever runs that Kafka/m);
  });

  it('is called by the port of each kind of listener', async () => {
    two.east.objects.set('/apis/kafka.strimzi.io/v1/namespaces/kafka-cluster/kafkas/kafka', { status: {} });
    const called = async (listener: object): Promise<string | undefined> =>
      /bootstrap\S*\.kafka\.invalid:(\d+)/.exec((await judgeKafka(await two.look({ configuration: configuration({ kafka: { context: 'east', domain: 'kafka.invalid', listeners: [listener] }, hostname: 'bridge.invalid' }) }))).map(lineOf).join())?.[1];
    assert.deepEqual([await called({ type: 'loadbalancer', port: 9095 }), await called({ type: 'route' }), await called({ type: 'ingress' }), await called({ type: 'nodeport' })], ['9095', '443', '443', undefined]);
  });

  it('is trusted by each CA of several, as while one is renewed', async () => {
    const renewed = await makeCertificate('renewed', { isAuthority: true, begins: -300, ends: 5 });
    const port = await broker(await leaf());
    const given = (await existing(`localhost:${String(port)}`, `${renewed.cert}\n${root.cert}`)).join('\n');
    assert.match(given, /^ok .*answers with a certificate that the settings trusts/m);
    assert.match(given, /^warning .*the CA that the settings trusts \(number 1 of 2\) is good until .*\(4 days\)\. Take it out of the settings once no broker/m);
    assert.match(given, /^ok .*the CA that the settings trusts \(number 2 of 2\) is good until/m);

    const trustedCertificates = ['ca.crt', 'ca-2.crt'].map((certificate) => ({ secretName: 'kafka-ca', certificate }));
    const bridge = object('kafka.strimzi.io/v1', 'KafkaBridge', { folder: { context: 'east', namespace: 'kafka-bridge' }, content: { spec: { tls: { trustedCertificates } } } });
    two.east.objects.set('/apis/kafka.strimzi.io/v1/namespaces/kafka-cluster/kafkas/kafka', { status: {} });
    two.east.objects.set('/api/v1/namespaces/kafka-bridge/secrets/kafka-ca', { data: Object.fromEntries(trustedCertificates.map(({ certificate }, index) => [certificate, Buffer.from([renewed, root][index]?.cert ?? '').toString('base64')])) });
    const kafka = { context: 'east', domain: 'kafka.invalid', listeners: [{ type: 'nodeport', name: 'external' }] };
    const lines = (await judgeKafka(await two.look({ configuration: configuration({ hostname: 'kafka.invalid', kafka }), objects: [bridge] }))).map(lineOf);
    assert.deepEqual(lines.filter((line) => line.includes('the CA that east trusts')).map((line) => /number \d of \d/.exec(line)?.[0]), ['number 1 of 2', 'number 2 of 2']);
  });

  it('that a stale copy of a CA is trusted for, is said by region', async () => {
    const port = await broker(await leaf());
    const old = await makeCertificate('old', { isAuthority: true });
    assert.equal((await shakeHands('localhost', port, root.cert)).distrust, undefined);
    assert.match((await shakeHands('localhost', port, old.cert)).distrust ?? '', /UNABLE_TO|SELF_SIGNED/);
  });
});
