import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';

import { lookAtBridge } from '../../components/checks/bridge.ts';
import { type BrokersInput, lookAtBrokers } from '../../components/checks/brokers.ts';
import { failureText } from '../../components/checks/problem.ts';
import { lookAtSidecars } from '../../components/checks/sidecars.ts';
import { lookAtTier1, type Tier1Input } from '../../components/checks/tier1.ts';
import { withHostName } from '../fixtures/host-names.ts';
import { serverCertificate } from '../fixtures/server-certificate.ts';
import { recordTopology, region, root } from './topology-fixtures.ts';

interface Listening { close(): unknown }

describe('a look at brokers', () => {
  const open: Listening[] = [];
  let port: number;
  let certificate: { cert: string; key: string };
  const place = { context: 'kafka', namespace: 'kafka-cluster' };

  before(async () => {
    certificate = await serverCertificate(['localhost', 'broker-0.kafka.invalid']);
    port = await listen(createTlsServer(certificate, (socket) => socket.on('error', () => undefined)), open);
  });
  after(() => { for (const server of open) server.close(); });

  const look = (changes: Partial<BrokersInput>) => lookAtBrokers({ caCertificate: certificate.cert, servers: [`localhost:${port}`], addresses: {}, place, ...changes });

  it('finds nothing wrong where name, way and certificate are right', async () => {
    assert.deepEqual(await look({}), []);
  });

  it('goes by the load balancer’s address where the name does not resolve, and checks the name all the same', async () => {
    assert.deepEqual(await look({ servers: [`broker-0.kafka.invalid:${port}`], addresses: { 'broker-0.kafka.invalid': '127.0.0.1' } }), []);
    const [other] = await look({ servers: [`broker-1.kafka.invalid:${port}`], addresses: { 'broker-1.kafka.invalid': '127.0.0.1' } });
    assert.match(other?.found ?? '', /^broker-1\.kafka\.invalid:\d+ at 127\.0\.0\.1: its certificate is for other names: /);
    assert.match(other?.see ?? '', /kafka\.certificate/);
  });

  it('goes by whichever address of a name answers, and names all of them where none does', async () => {
    const name = 'broker-0.kafka.invalid';
    await withHostName(name, ['::1', '127.0.0.1'], async () => {
      assert.deepEqual(await look({ servers: [`${name}:${port}`] }), []);
      const [problem] = await look({ servers: [`${name}:1`] });
      assert.equal(problem?.found, `${name}:1 at ::1, 127.0.0.1: connect ECONNREFUSED 127.0.0.1:1`);
    });
  });

  it('says of a name that leads nowhere that bridges need it as well', async () => {
    const [problem] = await look({ servers: ['broker-0.kafka.invalid:9094'] });
    assert.match(problem?.found ?? '', /^broker-0\.kafka\.invalid:9094: the name does not resolve on this machine/);
    assert.match(problem?.see ?? '', /bridges call brokers by this name/);
  });

  it('tells a foreign certificate, a closed port and silence apart', async () => {
    const foreign = await serverCertificate(['localhost']);
    const [untrusted] = await look({ caCertificate: foreign.cert });
    assert.match(untrusted?.found ?? '', /its certificate is not trusted by the CA that regions have: .*DEPTH_ZERO_SELF_SIGNED_CERT/);
    const closed: Listening[] = [];
    const gone = await listen(createTcpServer(), closed);
    for (const server of closed) server.close();
    const [refused] = await look({ servers: [`localhost:${gone}`] });
    assert.match(refused?.found ?? '', /ECONNREFUSED/);
    assert.match(refused?.see ?? '', /kubectl --context kafka get kafka,pods,services -n kafka-cluster; firewalls .* set checks: false/);
    const silent = await listen(createTcpServer((socket) => socket.on('error', () => undefined)), open);
    const [mute] = await look({ servers: [`localhost:${silent}`] });
    assert.match(mute?.found ?? '', /no answer within 3 s/);
  });

  it('names every broker that is not right', async () => {
    const found = await look({ servers: [`localhost:${port}`, 'broker-0.kafka.invalid:1', 'broker-1.kafka.invalid:1'] });
    assert.deepEqual(found.map((problem) => problem.found.split(':')[0]), ['broker-0.kafka.invalid', 'broker-1.kafka.invalid']);
  });
});

describe('a look at a bridge', () => {
  it('asks by the name of the region, and wants a list of topics', async () => {
    const asked: string[] = [];
    await withGateway((request, response) => { asked.push(`${request.method} ${request.url} ${request.headers.host}`); response.end('["a"]'); }, async (input) => {
      assert.deepEqual(await lookAtBridge(input), []);
      assert.deepEqual(asked, ['GET /topics east.bridge.example']);
    });
  });

  it('says what came instead, and where to look for its cause', async () => {
    for (const [status, body, see] of [
      [404, '', /whether TSB took the gateway's routes: kubectl --context east get gateways/],
      [503, 'no healthy upstream', /whether the bridge is ready: kubectl --context east get kafkabridge/],
      [500, '{"error_code":500,"message":"Timed out"}', /whether the bridge reaches Kafka: kubectl --context east logs/],
      [200, '<html>', /whether the bridge reaches Kafka/],
    ] as const) {
      await withGateway((_, response) => { response.writeHead(status).end(body); }, async (input) => {
        const [problem] = await lookAtBridge(input);
        assert.equal(problem?.found, `GET http://east.bridge.example/topics by the gateway at 127.0.0.1: ${status} ${body}`.trimEnd() + (body === '' ? ' ' : ''));
        assert.match(problem.see, see);
      });
    }
  });

  it('does not read on where an answer never ends', async () => {
    const piece = Buffer.alloc(2 ** 20, ' ');
    await withGateway((_, response) => {
      const more = (): void => { while (!response.destroyed && response.write(piece)); };
      response.on('drain', more).writeHead(200);
      more();
    }, async (input) => {
      const [problem] = await lookAtBridge(input);
      assert.match(problem?.found ?? '', /: an answer of more than 8 MiB, which is no list of topics/);
    });
  });

  it('says that a gateway cannot be reached', async () => {
    const [problem] = await lookAtBridge({ region: 'east', context: 'east', namespace: 'kafka-bridge', address: '127.0.0.1', hostname: 'east.bridge.example', port: 1 });
    assert.match(problem?.found ?? '', /ECONNREFUSED/);
    assert.match(problem?.see ?? '', /firewalls between this machine and the gateway/);
  });
});

describe('a look at tier1', () => {
  const hostnames = ['bridge.example', 'east.bridge.example', 'west.bridge.example'];
  const place = { context: 'central', namespace: 'edge', address: '127.0.0.1', hostnames, caCertificate: null };
  const open: Listening[] = [];
  afterEach(() => { for (const server of open.splice(0)) server.close(); });

  const look = async (answer: RequestListener, changes: Partial<Tier1Input> = {}, tls?: { cert: string; key: string }) => {
    const port = await listen(tls === undefined ? createHttpServer(answer) : createHttpsServer(tls, answer), open);
    return await lookAtTier1({ ...place, port, ...changes });
  };

  it('asks as clients do: by every name, one address for all', async () => {
    const asked: string[] = [];
    assert.deepEqual(await look((request, response) => { asked.push(`${request.method} ${request.url} ${request.headers.host}`); response.end('[]'); }), []);
    assert.deepEqual(asked.sort(), hostnames.map((name) => `GET /topics ${name}`));
  });

  it('names each name that leads nowhere, and where to look', async () => {
    const [missing, dead, ...others] = await look((request, response) => {
      const status = { 'bridge.example': 200, 'east.bridge.example': 404, 'west.bridge.example': 503 }[request.headers.host ?? ''] ?? 500;
      response.writeHead(status).end(status === 200 ? '[]' : 'no');
    });
    assert.deepEqual(others, []);
    assert.equal(missing?.found, 'GET http://east.bridge.example/topics by tier1 at 127.0.0.1: 404 no');
    assert.match(missing.see, /^whether TSB took tier1's routes: kubectl --context central get gateways\S+ -n edge/);
    assert.equal(dead?.found, 'GET http://west.bridge.example/topics by tier1 at 127.0.0.1: 503 no');
    assert.match(dead.see, /^whether TSB gave tier1 the regions' gateways/);
  });

  it('wants a certificate for the name, by the CA that clients have to trust', async () => {
    const certificate = await serverCertificate(['bridge.example', 'east.bridge.example']);
    const answer: RequestListener = (_, response) => response.end('[]');
    assert.deepEqual(await look(answer, { hostnames: hostnames.slice(0, 2), caCertificate: certificate.cert }, certificate), []);
    const [untrusted] = await look(answer, { hostnames: ['bridge.example'], caCertificate: '' }, certificate);
    assert.match(untrusted?.found ?? '', /^GET https:\/\/bridge\.example\/topics by tier1 at 127\.0\.0\.1: .*DEPTH_ZERO_SELF_SIGNED_CERT/);
    assert.match(untrusted?.see ?? '', /^tier1\.tls: this machine trusts no authority .* as ca\.crt/);
    const [other] = await look(answer, { hostnames: ['west.bridge.example'], caCertificate: certificate.cert }, certificate);
    assert.match(other?.found ?? '', /ERR_TLS_CERT_ALTNAME_INVALID/);
    assert.match(other?.see ?? '', /^tier1\.tls: its certificate has to name every host name/);
  });

  it('says that it cannot be reached', async () => {
    const [problem] = await lookAtTier1({ ...place, hostnames: ['bridge.example'], port: 1 });
    assert.match(problem?.found ?? '', /ECONNREFUSED/);
    assert.match(problem?.see ?? '', /firewalls between this machine and tier1/);
  });
});

describe('a look at sidecars', () => {
  let directory: string;
  before(() => { directory = mkdtempSync(join(tmpdir(), 'kbf-sidecars-')); });
  after(() => { rmSync(directory, { recursive: true }); });

  const proxy = { name: 'istio-proxy' };
  const pod = (name: string, containers: object[], statuses: object[], more: object = {}) => ({ metadata: { name, ...more }, spec: { containers: [{ name: 'bridge' }, ...containers] }, status: { phase: 'Running', containerStatuses: statuses } });

  const look = async (items: object[]) => {
    const asked: string[] = [];
    const server = createHttpServer((request, response) => { asked.push(request.url ?? ''); response.setHeader('content-type', 'application/json').end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items })); });
    const open: Listening[] = [];
    const file = join(directory, 'kubeconfig');
    writeFileSync(file, JSON.stringify(kubeconfig(await listen(server, open))));
    const problems = await lookAtSidecars({ kubeconfig: { file }, context: 'east', namespace: 'kafka-bridge', selector: { 'strimzi.io/cluster': 'kafka-bridge' } });
    for (const each of open) each.close();
    return { problems, asked };
  };

  it('finds nothing wrong where every pod has a proxy that is ready, as a container or as a native sidecar', async () => {
    const native = { metadata: { name: 'b' }, spec: { containers: [{ name: 'bridge' }], initContainers: [proxy] }, status: { phase: 'Running', containerStatuses: [], initContainerStatuses: [{ ...proxy, ready: true }] } };
    const leaving = pod('c', [], [], { deletionTimestamp: '2026-01-01T00:00:00Z' });
    const { problems, asked } = await look([pod('a', [proxy], [{ ...proxy, ready: true }]), native, leaving]);
    assert.deepEqual(problems, []);
    assert.match(asked[0] ?? '', /^\/api\/v1\/namespaces\/kafka-bridge\/pods\?labelSelector=strimzi\.io%2Fcluster%3Dkafka-bridge$/);
  });

  it('tells a pod without a proxy from one whose proxy is not ready', async () => {
    const { problems } = await look([pod('a', [], []), pod('b', [proxy], [{ ...proxy, ready: false }])]);
    assert.match(problems[0]?.found ?? '', /pod kafka-bridge\/a in cluster east has no istio-proxy: it was started before its namespace asked for one/);
    assert.match(problems[0]?.see ?? '', /then delete the pod/);
    assert.match(problems[1]?.found ?? '', /pod kafka-bridge\/b in cluster east: its istio-proxy is not ready/);
  });

  it('says that the cluster cannot be asked', async () => {
    const closed: Listening[] = [];
    const gone = await listen(createTcpServer(), closed);
    for (const server of closed) server.close();
    const problems = await lookAtSidecars({ kubeconfig: { text: JSON.stringify(kubeconfig(gone)) }, context: 'east', namespace: 'kafka-bridge', selector: {} });
    assert.match(problems[0]?.found ?? '', /^pods of namespace kafka-bridge in cluster east: .*ECONNREFUSED/s);
  });
});

describe('checks as a part of up', () => {
  it('end well with one line, as the process that Pulumi starts', async () => {
    const gateway = createHttpServer((_, response) => response.end('[]'));
    const open: Listening[] = [];
    const port = await listen(gateway, open);
    const child = spawn(process.execPath, [fileURLToPath(new URL('../../components/checks/run.ts', import.meta.url)), 'bridge'], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(JSON.stringify({ region: 'east', context: 'east', namespace: 'kafka-bridge', address: '127.0.0.1', hostname: 'east.bridge.example', port }));
    const said = await text(child.stdout);
    const code = await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(child.exitCode)));
    for (const each of open) each.close();
    assert.deepEqual([said, code], ['the bridge answers by the region’s gateway and reaches Kafka\n', 0]);
  });

  it('say when they give up what was found, and that up goes on looking', () => {
    assert.equal(
      failureText('The check of bridge failed for 120 s:', [{ found: 'no answer', see: 'the gateway' }]),
      'The check of bridge failed for 120 s:\n  no answer\n    See: the gateway\n' +
      'What was made stays as it is. Where it only needs more time, as the targets of a load balancer do until they are healthy, run up again: it goes on looking.',
    );
  });

  it('are commands with their input on standard input, whose settings alone run them again', async () => {
    const [one, same, other] = [await recordTopology(), await recordTopology(), await recordTopology({ regions: [region('east', { replicas: 2 }), region('west')] })];
    const command = (recording: typeof one, name: string) => recording.inputsOf('command:local:Command', name) as { create: string; stdin: string; interpreter: string[]; triggers: string[] };
    assert.deepEqual(command(one, 'kafka-brokers-check').interpreter, ['node', 'components/checks/run.ts'], 'the same in another checkout');
    assert.deepEqual({ ...JSON.parse(command(one, 'kafka-brokers-check').stdin) as object, caCertificate: '' }, {
      caCertificate: '',
      servers: ['bootstrap.kafka.example:9094', ...[0, 1, 2].map((id) => `broker-${id}.kafka.example:9094`)],
      addresses: Object.fromEntries(['bootstrap', 'broker-0', 'broker-1', 'broker-2'].map((name) => [`${name}.kafka.example`, '10.0.0.1'])),
      place: { context: 'kafka', namespace: 'kafka-cluster' },
    });
    assert.deepEqual(JSON.parse(command(one, 'east-bridge-check').stdin), { region: 'east', context: 'east', namespace: 'kafka-bridge', address: '10.0.0.1', hostname: 'east.bridge.example' });
    assert.equal(command(one, 'east-sidecars-check').create, 'sidecars');
    for (const name of ['kafka-brokers-check', 'east-bridge-check', 'east-sidecars-check', 'west-bridge-check', 'tier1-check']) assert.deepEqual(command(one, name), command(same, name));
    assert.notDeepEqual(command(one, 'east-bridge-check').triggers, command(other, 'east-bridge-check').triggers);
    assert.deepEqual(JSON.parse(command(one, 'tier1-check').stdin), { context: 'central', namespace: 'edge', address: '10.0.0.1', port: 80, hostnames: ['bridge.example', 'east.bridge.example', 'west.bridge.example'], caCertificate: null });
    assert.deepEqual(command(one, 'west-bridge-check'), command(other, 'west-bridge-check'), 'another region’s settings are none of its own');
  });

  it('ask tier1 by TLS where it has that, for no region that it sends nothing to, and again when its settings change', async () => {
    const tier1 = { context: 'central', tsbCluster: 'central' };
    const input = (recording: Awaited<ReturnType<typeof recordTopology>>) => recording.inputsOf('command:local:Command', 'tier1-check') as { stdin: string; triggers: string[] };
    const plain = await recordTopology();
    const secure = await recordTopology({ tier1: { ...tier1, tls: { source: 'self-signed' } } });
    const weighted = await recordTopology({ tier1: { ...tier1, mode: 'weighted', weights: { east: 0, west: 100 } } });
    const reached = await recordTopology({ tsb: { envoyFilters: 'none' } });
    const { port, caCertificate } = JSON.parse(input(secure).stdin) as { port: number; caCertificate: string | null };
    assert.deepEqual([port, typeof caCertificate], [443, 'string']);
    assert.deepEqual((JSON.parse(input(weighted).stdin) as { hostnames: string[] }).hostnames, ['bridge.example', 'west.bridge.example']);
    for (const other of [secure, weighted, reached]) assert.notDeepEqual(input(other).triggers, input(plain).triggers);
  });

  it('are not there where they are switched off', async () => {
    assert.ok(!(await recordTopology({ checks: false })).resources.some(({ type }) => type.startsWith('command:')));
  });

  it('look at what is known of a Kafka that exists', async () => {
    const caCertificate = root;
    const recording = await recordTopology({ kafka: { existing: { bootstrapServers: 'k1.example:9093,k2.example:9093', caCertificate } } });
    const { stdin } = recording.inputsOf('command:local:Command', 'kafka-brokers-check') as { stdin: string };
    assert.deepEqual(JSON.parse(stdin), { caCertificate, servers: ['k1.example:9093', 'k2.example:9093'], addresses: {} });
  });
});

async function withGateway(answer: RequestListener, use: (input: Parameters<typeof lookAtBridge>[0]) => Promise<void>): Promise<void> {
  const open: Listening[] = [];
  const port = await listen(createHttpServer(answer), open);
  try {
    await use({ region: 'east', context: 'east', namespace: 'kafka-bridge', address: '127.0.0.1', hostname: 'east.bridge.example', port });
  } finally {
    for (const server of open) server.close();
  }
}

async function listen(server: Server, open: Listening[]): Promise<number> {
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  open.push(server);
  return (server.address() as AddressInfo).port;
}

function kubeconfig(port: number): object {
  return {
    apiVersion: 'v1', kind: 'Config',
    clusters: [{ name: 'east', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }], users: [{ name: 'east', user: {} }], contexts: [{ name: 'east', context: { cluster: 'east', user: 'east' } }],
  };
}
