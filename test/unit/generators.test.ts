import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import { TrafficGenerators } from '../../components/traffic-generators.ts';
import { configuration, operators, recordTopology } from './topology-fixtures.ts';
import { answeringCluster, record, type Recording, type Served } from './pulumi-mocks.ts';

const recordsType = 'application/vnd.kafka.json.v2+json';
const bridgeType = 'application/vnd.kafka.v2+json';

/** A bridge behind two addresses, the common one and a region's own, as strict about media types as the real one. */
class Bridge {
  readonly asked: string[] = [];
  readonly produced: { key?: unknown; value: { number: number } }[] = [];
  readonly committed: { offsets: { topic: string; partition: number; offset: number }[] }[] = [];
  /** Instances that the region's bridge knows. */
  readonly instances = new Set<string>();
  /** Of every second record. */
  recordError: object | undefined;
  /** What is answered instead to what was asked, with 200 unless it says so; `cut`: the beginning of the answer and a lost connection; `nothing`, ever. */
  instead: (asked: string) => { status?: number; body: unknown } | 'cut' | 'nothing' | undefined = () => undefined;
  #made = 0;
  /** Of the region's bridge: the next offset that it gives, begun anew with an instance at what is committed. */
  #offset = 1;
  readonly #servers: Server[] = [];
  #urls = { common: '', region: '' };

  async start(): Promise<string> {
    for (const at of ['common', 'region'] as const) {
      const server = createServer((request, response) => {
        void this.#serve(at, request, response);
      });
      await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
      this.#servers.push(server);
      this.#urls = { ...this.#urls, [at]: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    }
    return this.#urls.common;
  }

  /** After the answer in hand nobody takes a connection to the region's address any more. */
  refuseInRegion(): void {
    this.#servers[1]?.close();
  }

  async #serve(at: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = `${at} ${request.method} ${request.url?.split('?')[0]}`;
    this.asked.push(asked);
    const instead = this.instead(asked);
    if (instead === 'nothing') return;
    const [status, body] = typeof instead === 'object' ? [instead.status ?? 200, instead.body] : await this.#answer(at, request);
    response.shouldKeepAlive = this.#servers.every(({ listening }) => listening);
    const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
    response.writeHead(status, { 'content-type': bridgeType, 'x-kbf-gateway': 'east', ...(status === 204 ? {} : { 'content-length': text.length }) });
    if (instead === 'cut') response.write(text.slice(0, -5), () => { request.socket.end(); });
    else response.end(text);
  }

  stop(): void {
    for (const server of this.#servers) { server.close(); server.closeAllConnections(); }
  }

  async #answer(at: string, request: IncomingMessage): Promise<[number, unknown?]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = (chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())) as Record<string, unknown> | undefined;
    const { pathname } = new URL(request.url ?? '/', 'http://bridge');
    const what = `${request.method} ${pathname}`;
    const wantedType = pathname.startsWith('/topics/') ? recordsType : bridgeType;
    if (body !== undefined && request.headers['content-type'] !== wantedType) return [400, { error_code: 400, message: 'format' }];
    if (pathname.startsWith('/topics/')) return this.#produce(body as { records: { value: { number: number } }[] });
    if (what === 'POST /consumers/traffic-generators') {
      const name = `i${(this.#made += 1)}`;
      this.instances.add(name);
      this.#offset = this.committed.at(-1)?.offsets[0]?.offset ?? 1;
      return [200, { instance_id: name, base_uri: `${this.#urls.region}${pathname}/instances/${name}` }];
    }
    if (at !== 'region') return [404, { error_code: 404, message: 'the instance lives on one bridge' }];
    const [, name = '', call = ''] = /instances\/([^/]+)\/?(.*)$/.exec(pathname) ?? [];
    if (!this.instances.has(name)) return [404, { error_code: 404, message: 'The specified consumer instance was not found.' }];
    if (request.method === 'DELETE') return [this.instances.delete(name) ? 204 : 404];
    if (call === 'subscription') return [204];
    if (call === 'offsets') return [this.committed.push(body as unknown as (typeof this.committed)[number]) > 0 ? 204 : 500];
    if (request.headers.accept !== recordsType) return [406, { error_code: 406, message: 'format' }];
    await delay(20);
    return [200, [{ topic: 'sales', partition: 0, offset: this.#offset++, key: 'k', value: 'v' }]];
  }

  #produce({ records }: { records: { value: { number: number } }[] }): [number, unknown] {
    this.produced.push(...records);
    return [200, { offsets: records.map((_, index) => (this.recordError !== undefined && this.produced.length % 2 === 0 ? this.recordError : { partition: 0, offset: index })) }];
  }
}

describe('a traffic generator', () => {
  let bridge: Bridge;
  let url: string;
  beforeEach(async () => { bridge = new Bridge(); url = await bridge.start(); });
  afterEach(() => { bridge.stop(); });

  it('writes records with keys, and tells an error inside an answer of 200', async () => {
    bridge.recordError = { error_code: 500, message: 'Expiring 1 record(s)' };
    const { log, code } = await run({ ROLE: 'producer', URL: url, TOPIC: 'sales', INTERVAL_MS: '20' }, () => bridge.produced.length >= 6);
    assert.deepEqual(bridge.produced.slice(0, 4).map(({ key, value }) => [key, value.number]), [['key-0', 0], ['key-1', 1], ['key-2', 2], ['key-3', 3]], 'none twice');
    assert.match(log, /^record 1: 500 Expiring 1 record\(s\)$/m);
    assert.match(log, /^written by east: \d+, record failed: \d+$/m);
    assert.equal(code, 0);
  });

  it('reads by the address that the bridge gave it, commits what it read, and leaves its group when it ends', async () => {
    const { log, code } = await run({ ROLE: 'consumer', URL: url, TOPIC: 'sales', GROUP: 'traffic-generators' }, () => bridge.committed.length >= 3);
    assert.deepEqual(bridge.committed.slice(0, 2), [2, 3].map((offset) => ({ offsets: [{ topic: 'sales', partition: 0, offset }] })));
    assert.deepEqual(bridge.asked.slice(0, 3), ['common POST /consumers/traffic-generators', 'region POST /consumers/traffic-generators/instances/i1/subscription', 'region GET /consumers/traffic-generators/instances/i1/records']);
    assert.deepEqual([...bridge.instances], [], 'deleted');
    assert.match(log, /read by east: \d+/);
    assert.equal(code, 0);
  });

  it('makes another instance by the common address as soon as the bridge does not know its own', async () => {
    let lost = false;
    await run({ ROLE: 'consumer', URL: url, TOPIC: 'sales', GROUP: 'traffic-generators' }, () => {
      if (!lost && bridge.committed.length >= 2) { bridge.instances.clear(); lost = true; }
      return bridge.committed.length >= 4;
    });
    assert.equal(bridge.asked.filter((asked) => asked === 'common POST /consumers/traffic-generators').length, 2);
  });

  const consumer = (until: () => boolean): ReturnType<typeof run> => run({ ROLE: 'consumer', URL: url, TOPIC: 'sales', GROUP: 'traffic-generators' }, until);
  const count = (end: string): number => bridge.asked.filter((asked) => asked.endsWith(end)).length;
  const made = (): number => count('POST /consumers/traffic-generators');
  const page = { body: '<html>\nlog in</html>' };

  it('gives an instance up that may have given records out which never came, so that none is passed over', async () => {
    const wrong = new Map<number, ReturnType<Bridge['instead']>>([[3, 'cut'], [6, { status: 503, body: { error_code: 503, message: 'broken' } }], [9, page]]);
    bridge.instead = (asked) => (asked.endsWith('/records') ? wrong.get(count('/records')) : undefined);
    const { log } = await consumer(() => made() === 4 && bridge.committed.length >= 8);
    const committed = bridge.committed.map(({ offsets }) => offsets[0]?.offset);
    assert.deepEqual(committed, committed.map((_, index) => index + 2), 'each record in its turn');
    assert.deepEqual([...log.matchAll(/^instance http:\S+\/(i\d): (.*); making another$/gm)].map(([, name, why]) => [name, why]).slice(1), [['i2', '503 broken'], ['i3', '200 <html> log in</html>']]);
    assert.equal(made(), 4);
  });

  it('asks an instance again where nobody took the connection, and gives it up at the third time', async () => {
    bridge.instead = (asked) => {
      if (asked.endsWith('/subscription')) bridge.refuseInRegion();
      return undefined;
    };
    const { log } = await consumer(() => made() >= 2);
    assert.match(log, /^read .*ECONNREFUSED.*\nread .*ECONNREFUSED.*\ninstance http:\S+\/i1: .*ECONNREFUSED.*; making another$/m);
  });

  it('takes an answer that no bridge gives, with 200 as well, for none', async () => {
    for (const body of ['<html>log in</html>', 'null', '{}', '{"offsets":[]}', '{"offsets":[{}]}']) {
      bridge.asked.length = 0;
      bridge.instead = () => ({ body });
      const { log } = await run({ ROLE: 'producer', URL: url, TOPIC: 'sales', INTERVAL_MS: '20' }, () => bridge.asked.length >= 2);
      assert.ok(log.startsWith(`record 0: 200 ${body}\n`), log);
      assert.doesNotMatch(log, /written/);
    }
    for (const end of ['POST /consumers/traffic-generators', '/subscription', '/offsets']) {
      bridge.asked.length = 0;
      bridge.committed.length = 0;
      bridge.instead = (asked) => (asked.endsWith(end) && count(end) === 1 ? page : undefined);
      assert.match((await consumer(() => bridge.committed.length >= 1)).log, /^instance .*: .*(200|no answer of a bridge:) <html> log in<\/html>; making another$/m);
      assert.equal(bridge.committed[0]?.offsets[0]?.offset, 2);
    }
  });

  it('leaves its group whatever it is in the middle of when it ends', async () => {
    for (const end of ['/subscription', '/records', '/offsets']) {
      bridge.asked.length = 0;
      bridge.instead = (asked) => (asked.endsWith(end) ? 'nothing' : undefined);
      assert.equal((await consumer(() => count(end) === 1)).code, 0);
      assert.deepEqual([...bridge.instances], [], end);
    }
  });

  it('deletes an instance that it could not subscribe', async () => {
    bridge.instead = (asked) => (asked.endsWith('/i1/subscription') ? { status: 503, body: 'no healthy upstream' } : undefined);
    await consumer(() => bridge.committed.length >= 1);
    assert.equal(count('DELETE /consumers/traffic-generators/instances/i1'), 1);
    assert.deepEqual([...bridge.instances], []);
  });

  it('goes on asking a region that was out of reach to delete the instance that it left there', async () => {
    const away = (asked: string): boolean => asked.includes('/i1') && !asked.endsWith('/subscription') && count('DELETE /consumers/traffic-generators/instances/i1') < 3;
    bridge.instead = (asked) => (away(asked) ? { status: 503, body: 'no healthy upstream' } : undefined);
    let meanwhile = 0;
    await consumer(() => {
      if (bridge.instances.has('i1')) meanwhile = bridge.committed.length;
      return !bridge.instances.has('i1') && bridge.committed.length >= 1;
    });
    assert.ok(meanwhile > 0, 'another reads in the meantime');
    assert.deepEqual([...bridge.instances], []);
  });

  it('ends though its instances cannot be deleted', async () => {
    bridge.instead = (asked) => (asked.includes('DELETE') || asked.endsWith('/i1/records') ? { status: 503, body: 'no healthy upstream' } : undefined);
    assert.equal((await consumer(() => bridge.committed.length >= 1)).code, 0);
    assert.equal(count('DELETE /consumers/traffic-generators/instances/i2'), 1);
  });

  it('keeps nothing of the pauses that it made', async () => {
    const watch = `import { getEventListeners } from 'node:events';
      const made = [];
      globalThis.AbortController = class extends AbortController { constructor() { super(); made.push(this.signal); } };
      process.once('SIGTERM', () => console.log('listeners', Math.max(...made.map((signal) => getEventListeners(signal, 'abort').length))));`;
    const { log } = await run({ NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(watch)}`, ROLE: 'producer', URL: url, TOPIC: 'sales', INTERVAL_MS: '5' }, () => bridge.produced.length >= 30);
    assert.ok(Number(/^listeners (\d+)$/m.exec(log)?.[1]) <= 2, log);
  });

  it('refuses settings that it cannot work with', async () => {
    assert.deepEqual(await run({ ROLE: 'juggler', URL: url, TOPIC: 'sales' }, () => false), { log: 'ROLE is juggler: producer or consumer\n', code: 2 });
    assert.deepEqual(await run({ ROLE: 'producer', TOPIC: 'sales' }, () => false), { log: 'URL is not set\n', code: 2 });
  });
});

describe('traffic generators', () => {
  const asked = { generators: { topic: 'sales' } };
  const podOf = (recording: Recording, name: string) => (recording.inputsOf('apps/v1:Deployment', name) as { spec: { template: { spec: { hostAliases?: unknown; containers: { image: string; command: string[]; env: { name: string; value: string }[] }[] } } } }).spec.template.spec;

  it('are not there unless they are asked for', async () => {
    assert.ok(!(await recordTopology()).resources.some(({ name }) => name.startsWith('generators')));
  });

  it('are a producer and two consumers of one group, in tier1’s cluster, that find tier1 by its address', async () => {
    const recording = await recordTopology(asked);
    assert.deepEqual(recording.childrenOf('TrafficGenerators'), [
      'ConfigMap generators-script', 'Namespace generators-namespace', 'apps/v1:Deployment generators-consumer1', 'apps/v1:Deployment generators-consumer2', 'apps/v1:Deployment generators-producer',
    ]);
    assert.ok(recording.resources.filter(({ type, parent }) => parent === 'TrafficGenerators' && !type.startsWith('kbf:')).every(({ provider }) => provider === 'central'));
    const [producer] = podOf(recording, 'generators-producer').containers;
    assert.equal(producer?.image, 'docker.io/library/node:24-alpine');
    assert.deepEqual(producer.command, ['node', '/etc/generator/generator.mjs']);
    assert.deepEqual(Object.fromEntries(producer.env.map(({ name, value }) => [name, value])), { ROLE: 'producer', TOPIC: 'sales', INTERVAL_MS: '1000', URL: 'http://bridge.example' });
    assert.deepEqual(podOf(recording, 'generators-consumer1').containers[0]?.env, podOf(recording, 'generators-consumer2').containers[0]?.env);
    assert.deepEqual(podOf(recording, 'generators-producer').hostAliases, [{ ip: '10.0.0.1', hostnames: ['bridge.example', 'east.bridge.example', 'west.bridge.example'] }]);
  });

  it('are pods that a restricted namespace with a quota takes, as a user that the cluster gives them or as one that is not root', async () => {
    const podIn = async (served: (group: string) => Served): Promise<k8s.types.input.core.v1.PodSpec> => {
      const { generators: settings } = configuration(asked);
      assert.ok(settings);
      const recording = await record(() => new TrafficGenerators('generators', { cluster: answeringCluster(operators, (_, group) => served(group))('central'), settings, givenNamespace: false, url: 'http://h', caCertificate: '', resolve: undefined }));
      return podOf(recording, 'generators-producer') as k8s.types.input.core.v1.PodSpec;
    };
    for (const [served, user] of [[() => ({}), { runAsUser: 1000 }], [(group: string): Served => (group === 'security.openshift.io' ? { v1: ['SecurityContextConstraints'] } : {}), {}]] as const) {
      const pod = await podIn(served);
      const [container] = pod.containers as k8s.types.input.core.v1.Container[];
      assert.deepEqual(pod.securityContext, { runAsNonRoot: true, ...user, seccompProfile: { type: 'RuntimeDefault' } });
      assert.deepEqual(container?.securityContext, { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
      assert.deepEqual(container.resources, { requests: { cpu: '20m', memory: '64Mi' } });
    }
  });

  it('leave names to DNS where it has them, and trust what tier1 shows', async () => {
    const recording = await recordTopology({ ...asked, tier1: { dns: 'external-dns', tls: { source: 'self-signed' } } });
    const pod = podOf(recording, 'generators-producer');
    assert.equal(pod.hostAliases, undefined);
    const env = Object.fromEntries(pod.containers[0]?.env.map(({ name, value }) => [name, value]) ?? []);
    assert.deepEqual([env['URL'], env['NODE_EXTRA_CA_CERTS']], ['https://bridge.example', '/etc/generator/ca.crt']);
    assert.equal((recording.inputsOf('ConfigMap', 'generators-script') as { data: Record<string, string> }).data['ca.crt'], 'a certificate');
  });

  describe('where tier1’s address is a host name', () => {
    const { warn } = pulumi.log;
    let warnings: string[];
    beforeEach(() => { warnings = []; Object.assign(pulumi.log, { warn: (message: string) => { warnings.push(message); return Promise.resolve(); } }); });
    afterEach(() => { Object.assign(pulumi.log, { warn }); });

    const named: typeof operators = (reference) => (reference.kind === 'Service' ? { status: { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } } } : operators(reference));

    it('say once that their pods need DNS, and for what', async () => {
      const recording = await recordTopology(asked, named);
      assert.deepEqual(podOf(recording, 'generators-producer').hostAliases, []);
      assert.deepEqual(warnings, [
        'generators: tier1\'s address is a host name, lb.example, and pods can be told IP addresses only: without DNS those in cluster central do not find bridge.example, east.bridge.example, west.bridge.example.\n' +
        'Make records for lb.example, set tier1.dns, or give tier1 an IP address (tier1.service.address).',
      ]);
    });

    it('say nothing where DNS has the names, nor of an IP address', async () => {
      await recordTopology({ ...asked, tier1: { dns: 'external-dns' } }, named);
      await recordTopology(asked);
      assert.deepEqual(warnings, []);
    });
  });
});

/** Runs the script until something is so, then ends it as Kubernetes does. */
async function run(env: Record<string, string>, until: () => boolean): Promise<{ log: string; code: number | null }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../components/generator/generator.mjs', import.meta.url))], { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const deadline = Date.now() + 15_000;
  while (child.exitCode === null && !until() && Date.now() < deadline) await delay(10);
  child.kill('SIGTERM');
  return { code: await ended, log };
}
