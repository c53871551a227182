/** What is decided about clusters that do not answer, and what is remembered of what is left in them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeCluster } from '../../automation/clusterProbe.ts';
import type { Answer } from '../../automation/clusterProbe.ts';
import { OrphanFile, abandon, orphansOf, takeBack, unprotect } from '../../automation/orphans.ts';
import { abandonedClusters, askClusters, skippedContexts } from '../../automation/reach.ts';
import { clustersInState, resourcesIn } from '../../automation/stackState.ts';
import type { ResourceState, StackState } from '../../automation/stackState.ts';
import { survey } from '../../automation/survey.ts';
import { clustersInSettings, clustersOfState, resourcesOfRegion, together } from '../../automation/usedClusters.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import { UserError } from '../../errors.ts';
import { loopbackCertificate } from '../fixtures/loopback-certificate.ts';

describe('an API server that is asked', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let cert = '';
  let key = '';
  before(async () => { ({ cert, key } = await loopbackCertificate()); });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => { server.close(resolve); })));
  });

  async function listening(server: Server): Promise<string> {
    servers.push(server);
    server.on('connection', (socket) => { sockets.add(socket); });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  const kubeconfig = (server: string, ca = cert): string => JSON.stringify({
    apiVersion: 'v1', kind: 'Config', users: [{ name: 'u', user: { token: 't' } }], contexts: [{ name: 'east', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
  });
  const ask = async (respond: RequestListener): Promise<Answer> => {
    const server = await listening(createServer({ cert, key }, respond));
    return await probeCluster({ context: 'east', kubeconfig: kubeconfig(server) }, undefined, 300);
  };
  const status = (code: number, message: string): string => JSON.stringify({ kind: 'Status', code, message });

  it('answers when it is ready and takes the credentials', async () => {
    const paths: string[] = [];
    const answer = await ask((request, response) => {
      paths.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`);
      response.writeHead(request.method === 'GET' ? 200 : 201).end('{}');
    });
    assert.equal(answer.state, 'answers');
    assert.deepEqual(paths, ['GET /readyz Bearer t', 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews Bearer t']);
  });

  for (const code of [401, 403]) {
    it(`refuses by HTTP ${String(code)}`, async () => {
      const answer = await ask((request, response) => { response.writeHead(request.method === 'GET' && code === 403 ? 200 : code).end(status(code, 'not you')); });
      assert.deepEqual([answer.state, answer.detail], ['refused', `HTTP ${String(code)}: not you`]);
    });
  }

  it('does not answer while it is not ready, and says what is not', async () => {
    const answer = await ask((_request, response) => { response.writeHead(500).end('[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n'); });
    assert.deepEqual([answer.state, answer.detail], ['unreachable', 'it is not ready: HTTP 500: etcd failed: reason withheld']);
  });

  it('does not answer when it hangs', async () => {
    const answer = await ask(() => undefined);
    assert.deepEqual([answer.state, answer.detail], ['unreachable', 'no answer in time']);
  });

  it('does not answer when its host takes connections and says nothing', async () => {
    const server = await listening(createTcpServer(() => undefined));
    const answer = await probeCluster({ context: 'east', kubeconfig: kubeconfig(server) }, undefined, 300);
    assert.deepEqual([answer.state, answer.address], ['unreachable', server]);
  });

  it('does not answer when nobody listens', async () => {
    const server = createTcpServer();
    const address = await listening(server);
    await new Promise((resolve) => { servers.splice(0); server.close(resolve); });
    const answer = await probeCluster({ context: 'east', kubeconfig: kubeconfig(address) }, undefined, 300);
    assert.deepEqual([answer.state, answer.detail], ['unreachable', 'connection refused']);
  });

  it('is there when its certificate is not trusted, and is not taken for one that is gone', async () => {
    const server = await listening(createServer({ cert, key }, () => undefined));
    assert.equal((await probeCluster({ context: 'east', kubeconfig: kubeconfig(server, (await loopbackCertificate()).cert) }, undefined, 300)).state, 'unusable');
  });

  it('cannot be asked without a kubeconfig, a context or credentials', async () => {
    assert.equal((await probeCluster({ context: 'east', kubeconfig: '/nowhere/kubeconfig' })).detail, 'there is no such file');
    assert.equal((await probeCluster({ context: 'west', kubeconfig: kubeconfig('https://127.0.0.1:1') })).state, 'unusable');
    const plugin = JSON.parse(kubeconfig('https://127.0.0.1:1')) as { users: object[] };
    plugin.users = [{ name: 'u', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/nowhere/plugin', interactiveMode: 'Never' } } }];
    assert.equal((await probeCluster({ context: 'east', kubeconfig: JSON.stringify(plugin) })).state, 'refused');
  });

  it('is not waited for once the operation is to stop', async () => {
    const server = await listening(createServer({ cert, key }, () => undefined));
    const stop = new AbortController();
    setTimeout(() => { stop.abort(new Error('enough')); }, 50);
    await assert.rejects(probeCluster({ context: 'east', kubeconfig: kubeconfig(server) }, stop.signal), /enough/);
  });
});

describe('clusters that do not answer', () => {
  const cluster = (context: string, parts: string[], answer: Partial<Answer> = {}) => ({
    context, kubeconfig: '/k', parts, regions: parts.flatMap((part) => /^region (.+)/.exec(part)?.slice(1) ?? []),
    state: 'unreachable' as const, address: `https://${context}:6443`, detail: 'connection refused', ...answer,
  });
  const answering = cluster('west', ['region west'], { state: 'answers' });
  const refusalOf = (run: () => unknown): UserError => {
    try {
      run();
    } catch (error) {
      if (error instanceof UserError) return error;
    }
    throw new Error('nothing was refused');
  };

  it('stop an operation, with their address and the option that helps', () => {
    const { message, remedy, exitCode } = refusalOf(() => abandonedClusters('up', [answering, cluster('east', ['region east'])], {}));
    assert.equal(message, 'Cluster east (region east) does not answer at https://east:6443: connection refused.\nNothing was changed.');
    assert.match(remedy ?? '', /--skip-region east:/);
    assert.equal(exitCode, 1);
  });

  it('cannot be skipped where Kafka, TSB or tier1 stand in them', () => {
    assert.match(refusalOf(() => abandonedClusters('up', [cluster('kafka', ['Kafka'])], {})).remedy ?? '', /kafka cannot be left out/);
    const used = [cluster('one', ['tier1', 'region east'])];
    assert.match(refusalOf(() => skippedContexts(used, ['east'])).message, /Region east cannot be skipped: tier1 stands in its cluster one, too/);
  });

  it('are skipped by the names of regions that exist', () => {
    assert.deepEqual([...skippedContexts([cluster('c1', ['region east']), answering], ['east'])], [['east', 'c1']]);
    const { message, remedy, exitCode } = refusalOf(() => skippedContexts([answering], ['eats']));
    assert.deepEqual([message, remedy, exitCode], ['There is no region eats.', 'Regions: west.', 2]);
  });

  it('stop a destroy, which goes on without them only when told to', () => {
    const reached = [answering, cluster('east', ['region east'])];
    assert.match(refusalOf(() => abandonedClusters('destroy', reached, {})).remedy ?? '', /--abandon-unreachable/);
    assert.deepEqual(abandonedClusters('destroy', reached, { abandonUnreachable: true }).map(({ context }) => context), ['east']);
  });

  it('are never those that refuse the credentials', () => {
    const refusing = cluster('east', ['region east'], { state: 'refused', detail: 'HTTP 401: Unauthorized' });
    for (const other of [answering, cluster('west', ['region west'])]) {
      const { message, remedy } = refusalOf(() => abandonedClusters('destroy', [refusing, other], { abandonUnreachable: true }));
      assert.match(message, /Cluster east \(region east\) at https:\/\/east:6443 refuses the credentials in \/k: HTTP 401: Unauthorized/);
      assert.match(remedy ?? '', /never taken for one that is gone/);
    }
    assert.throws(() => abandonedClusters('destroy', [answering, cluster('east', [], { state: 'unusable', address: '', detail: 'there is no such file' })], { abandonUnreachable: true }), /cannot be reached by \/k: there is no such file/);
  });

  it('are not believed when nobody answers at all', () => {
    assert.match(refusalOf(() => abandonedClusters('destroy', [cluster('east', []), cluster('west', [])], { abandonUnreachable: true })).remedy ?? '', /this machine's own network/);
  });

  it('are asked at the same time, unless only the engine knows where they are', async () => {
    let asked = 0;
    const probe = async (): Promise<Answer> => { asked += 1; await new Promise((resolve) => { setImmediate(resolve); }); assert.equal(asked, 2); return { state: 'answers', address: '', detail: '' }; };
    const used = [cluster('a', []), cluster('b', []), { ...cluster('gke', []), kubeconfig: undefined }];
    assert.deepEqual((await askClusters(used, undefined, probe)).map(({ context }) => context), ['a', 'b']);
  });
});

describe('the clusters of an operation', () => {
  const configuration = parseConfiguration({
    hostname: 'bridge.example', kubeconfig: '/k', kafka: { context: 'kafka', domain: 'kafka.example' },
    regions: [{ name: 'east', context: 'c1', tsbCluster: 'c1' }, { name: 'west', context: 'c2', tsbCluster: 'c2', kubeconfig: '/k2' }],
    tsb: { context: 'central', organization: 'o', tenant: 't' }, tier1: { context: 'central', tsbCluster: 'central' },
  }, '/', 'unchecked');

  it('are those of the settings, each once with all that stands in it', () => {
    assert.deepEqual(clustersInSettings(configuration).map(({ context, kubeconfig, parts, regions }) => [context, kubeconfig, parts, regions]), [
      ['kafka', '/k', ['Kafka'], []], ['c1', '/k', ['region east'], ['east']], ['c2', '/k2', ['region west'], ['west']], ['central', '/k', ['TSB', 'tier1'], []],
    ]);
  });

  it('are those of the state as well: a region that was taken out of the settings still has to go', () => {
    assert.deepEqual(clustersOfState(stackState()).map(({ context, parts, regions }) => [context, parts, regions]), [['central', ['objects of an earlier run'], []], ['east', ['region east'], ['east']], ['west', ['region west'], ['west']]]);
    assert.deepEqual(together(clustersInSettings(configuration), clustersOfState(stackState())).map(({ context }) => context), ['kafka', 'c1', 'c2', 'central', 'east', 'west']);
  });

  it('of which one is skipped are not all asked, and all of it is left alone', async () => {
    const state = stackState();
    for (const { inputs } of state.resources ?? []) if (inputs?.context !== 'east') delete inputs?.kubeconfig;
    const found = await survey('refresh', { configuration: undefined, state, orphans: [] }, { skipRegions: ['east'] });
    assert.deepEqual(found.skipped, ['east']);
    assert.deepEqual(found.excluded(state).sort(), [...urnsOf('east'), checkOf('east')].sort());
  });
});

describe('what is left behind', () => {
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  it('is everything in the cluster with its provider, and nothing else', () => {
    const state = stackState();
    const [east] = clustersInState(state).filter(({ context }) => context === 'east');
    assert.deepEqual([...resourcesIn(state, new Set([east?.provider ?? '']))].sort(), urnsOf('east').filter((each) => !each.endsWith('Region::east')).sort());
    assert.deepEqual([...resourcesOfRegion(state, 'east', 'east')].sort(), [...urnsOf('east'), checkOf('east')].sort());
  });

  it('leaves the state, which then refers to none of it', () => {
    const state = stackState();
    const [abandoned] = abandon(state, [{ context: 'east', kubeconfig: '/k' }]);
    const left = JSON.stringify(state);
    const gone = urnsOf('east').filter((each) => !each.endsWith('Region::east'));
    for (const each of gone) assert.ok(!left.includes(`"${each}`), each);
    assert.deepEqual(state.resources?.map(({ urn: each }) => each), stackState().resources?.map(({ urn: each }) => each).filter((each) => !gone.includes(each)));
    assert.deepEqual(orphansOf(abandoned ? [abandoned] : []), [
      { cluster: 'east', apiVersion: 'v1', kind: 'Namespace', name: 'kafka-bridge' },
      { cluster: 'east', apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaBridge', namespace: 'kafka-bridge', name: 'bridge' },
    ]);
  });

  it('comes back as it was, once, whatever is in the state by then', () => {
    const state = stackState();
    const abandoned = abandon(state, [{ context: 'east', kubeconfig: '/k' }]);
    assert.deepEqual(takeBack(state, abandoned), urnsOf('east').filter((urn) => urn.includes('kubernetes:') && !urn.includes('providers')));
    assert.deepEqual([...state.resources ?? []].sort(byUrn).map(({ urn }) => urn), [...stackState().resources ?? []].sort(byUrn).map(({ urn }) => urn));
    assert.deepEqual(takeBack(state, abandoned), []);

    const empty: StackState = {};
    takeBack(empty, abandoned);
    const urns = empty.resources?.map(({ urn }) => urn) ?? [];
    for (const resource of empty.resources ?? []) {
      const needed = [resource.parent, resource.provider?.replace(/::[^:]*$/, ''), ...resource.dependencies ?? []].filter((urn) => urn !== undefined);
      for (const urn of needed) assert.ok(urns.indexOf(urn) >= 0 && urns.indexOf(urn) < urns.indexOf(resource.urn), `${resource.urn} comes after ${urn}`);
    }
  });

  it('comes back under a provider that was made anew', () => {
    const state = stackState();
    const abandoned = abandon(state, [{ context: 'east', kubeconfig: '/k' }]);
    const provider = stackState().resources?.find(({ urn }) => urn === providerUrnOf('east'));
    state.resources?.push({ ...provider, id: 'new' } as ResourceState);
    takeBack(state, abandoned);
    assert.equal(state.resources?.find((resource) => resource.urn === urnsOf('east').at(-1))?.provider, `${providerUrnOf('east')}::new`);
  });

  it('is kept in a file that only its owner reads, until it is taken back', async () => {
    const file = new OrphanFile(join(directory, 'orphans', 'dev.json'));
    const [east] = abandon(stackState(), [{ context: 'east', kubeconfig: '/k' }]);
    assert.ok(east);
    assert.deepEqual(await file.read(), []);
    await file.add([{ ...east, resources: east.resources.slice(0, 2) }, { ...east, context: 'west' }]);
    await file.add([east]);
    assert.equal((await stat(file.path)).mode & 0o777, 0o600);
    assert.deepEqual((await file.read()).map(({ context, resources }) => [context, resources.length]), [['east', east.resources.length], ['west', east.resources.length]]);
    await file.remove(['east']);
    assert.deepEqual((await file.read()).map(({ context }) => context), ['west']);
    await file.remove(['west']);
    await assert.rejects(stat(file.path), { code: 'ENOENT' });
  });

  it('is not lost silently when its file cannot be read', async () => {
    const file = new OrphanFile(join(directory, 'dev.json'));
    await writeFile(file.path, '{');
    await assert.rejects(file.read(), (error: UserError) => error.message.includes(file.path) && /Mend it/.test(error.remedy ?? ''));
  });

  it('includes what is protected, which a destroy takes along', () => {
    const state = stackState();
    assert.equal(unprotect(state), false);
    for (const resource of state.resources ?? []) resource.protect = true;
    assert.equal(unprotect(state), true);
    assert.ok(state.resources?.every(({ protect }) => protect === false));
  });
});

const byUrn = (one: ResourceState, other: ResourceState): number => one.urn.localeCompare(other.urn);
const urn = (type: string, name: string): string => `urn:pulumi:dev::p::${type}::${name}`;
const stackUrn = urn('pulumi:pulumi:Stack', 'p-dev');
const providerUrnOf = (cluster: string): string => urn('pulumi:providers:kubernetes', cluster);
const checkOf = (region: string): string => urn('kbf:index:KafkaBridgeRegion$command:local:Command', `${region}-check`);
const urnsOf = (region: string): string[] => [
  providerUrnOf(region),
  urn('kbf:index:KafkaBridgeRegion', region),
  urn('kbf:index:KafkaBridgeRegion$kubernetes:core/v1:Namespace', `${region}-namespace`),
  urn('kbf:index:KafkaBridgeRegion$kubernetes:kafka.strimzi.io/v1:KafkaBridge', `${region}-bridge`),
];

/** Two regions, and an object in the central cluster that was made after them. */
function stackState(): StackState {
  const provider = (name: string): ResourceState => ({ urn: providerUrnOf(name), type: 'pulumi:providers:kubernetes', custom: true, id: `id-${name}`, parent: stackUrn, inputs: { context: name, kubeconfig: '/k' } });
  const region = (name: string): ResourceState[] => {
    const [at = '', component = '', namespace = '', bridge = ''] = urnsOf(name);
    const common = { custom: true, parent: component, provider: `${at}::id-${name}` };
    return [
      provider(name),
      { urn: component, type: 'kbf:index:KafkaBridgeRegion', custom: false, parent: stackUrn },
      { ...common, urn: namespace, type: 'kubernetes:core/v1:Namespace', id: 'kafka-bridge', inputs: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kafka-bridge' } } },
      {
        ...common, urn: bridge, type: 'kubernetes:kafka.strimzi.io/v1:KafkaBridge', id: 'kafka-bridge/bridge', dependencies: [namespace], propertyDependencies: { metadata: [namespace], spec: [urn('kubernetes:core/v1:ConfigMap', 'group')] },
        inputs: { apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaBridge', metadata: { name: 'bridge', namespace: 'kafka-bridge' } },
      },
    ];
  };
  const check = (region: string): ResourceState => ({ urn: checkOf(region), type: 'command:local:Command', custom: true, id: 'c', parent: urnsOf(region)[1] ?? '' });
  const central = { type: 'kubernetes:core/v1:ConfigMap', custom: true, parent: stackUrn, provider: `${providerUrnOf('central')}::id-central` };
  return {
    resources: [
      { urn: stackUrn, type: 'pulumi:pulumi:Stack', custom: false },
      provider('central'),
      { ...central, urn: urn('kubernetes:core/v1:ConfigMap', 'group'), id: 'g' },
      ...region('east'), check('east'), ...region('west'),
      { ...central, urn: urn('kubernetes:core/v1:ConfigMap', 'tier1'), id: 't', dependencies: [...urnsOf('east').slice(1), ...urnsOf('west').slice(1)], propertyDependencies: { data: urnsOf('east').slice(2) } },
    ],
  };
}
