/** Regions come, go and fail, and versions and settings change, on running clusters: what the engine does then, and what clients notice. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { LeftBehind } from '../../automation/environment.ts';
import { Load } from './load.ts';
import { Workshop, eventually, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Outputs {
  readonly hostname: string;
  readonly regions: readonly { readonly name: string; readonly gatewayAddress: string }[];
}

interface Step { readonly op: string; readonly type: string; readonly name: string; readonly component: string }

interface Answer {
  readonly changes: Record<string, number>;
  readonly resources: readonly Step[];
  readonly outputs: Outputs;
}

type Settings = Record<string, Record<string, unknown>>;

const name = 'regions';
const stack = 'changing';

describe('regions and settings that change while clients work', function () {
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let load: Load | undefined;

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name, '--regions', '3');
    await kbf('up', await settings(['east', 'west']));
  });

  afterEach(async () => {
    await load?.stop();
    load = undefined;
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  /** Settings like the repository's own, with other regions and with `more` on top. */
  async function settings(regions: readonly string[], more: Settings = {}): Promise<string> {
    const file = join(workshop.stateDir, `Pulumi.${stack}.yaml`);
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, unknown> };
    const key = (concern: string): string => `kafka-bridge-failover:${concern}`;
    config[key('regions')] = regions.map((region) => ({ name: region, context: region, tsbCluster: region, locality: { region: `us-${region}1` } }));
    for (const [concern, values] of Object.entries(more)) config[key(concern)] = { ...config[key(concern)] as object | undefined, ...values };
    await writeFile(file, stringify({ config }));
    return file;
  }

  async function kbf(operation: string, file: string, ...flags: string[]): Promise<Answer> {
    return await workshop.json<Answer>(operation, '--sandbox', name, '--config', file, ...flags);
  }

  async function destroy(file: string, ...flags: string[]): Promise<LeftBehind> {
    return await workshop.json<LeftBehind>('destroy', '--sandbox', name, '--config', file, ...flags);
  }

  const kubectl = (context: string, ...args: string[]): Promise<string> => workshop.kubectl(sandbox, context, ...args);

  /** A client of tier1 that has had answers from all regions. */
  async function startLoad(regions: readonly string[]): Promise<Load> {
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    const started = load = new Load(relays['central/edge/tier1:80'] ?? '', 'kafka-bridge.example');
    await eventually(`answers from ${regions.join(' and ')}`, 30_000, () => Promise.resolve(regions.every((region) => started.shares(0)[region] !== undefined) || undefined));
    return started;
  }

  const unharmed = (): Promise<void> => load?.unharmed() ?? assert.fail('there is no load');

  /** The engine's own list, without what stayed the same. */
  function steps({ resources }: Answer): Record<string, string[]> {
    return Object.fromEntries([...Map.groupBy(resources, ({ op }) => op)].map(([op, some]) => [op, some.map(({ component, name: resource }) => `${component}: ${resource}`).sort()]));
  }

  /** Everything of a region, and what TSB and tier1 have of it. */
  function ofRegion(region: string): RegExp {
    return new RegExp(`^(KafkaBridgeRegion ${region}: ${region}.*|TsbWorkspace tsb: tsb-(gateways|istio)-bridges-${region})$`);
  }

  const settingsOfAll = ['Tier1Failover tier1: tier1-filter', 'Tier1Failover tier1: tier1-gateway', 'Tier1Failover tier1: tier1-routes', 'TsbWorkspace tsb: tsb-setting-bridges', 'TsbWorkspace tsb: tsb-workspace-bridges'];

  it('has nothing to change after a refresh, nor in a second up', async () => {
    const file = await settings(['east', 'west']);
    assert.deepEqual(Object.keys((await kbf('refresh', file)).changes), ['same']);
    assert.deepEqual(Object.keys((await kbf('up', file)).changes), ['same']);
  });

  it('adds a region without touching the others, and no request fails', async () => {
    await startLoad(['east', 'west']);
    const { create = [], update = [], ...others } = steps(await kbf('up', await settings(['east', 'west', 'north'])));
    assert.deepEqual(others, {});
    assert.deepEqual(create.filter((each) => !ofRegion('north').test(each)), []);
    assert.deepEqual(update, settingsOfAll);
    const since = load?.now ?? 0;
    await eventually('answers from north', 20_000, () => Promise.resolve(load?.shares(since)['north'] !== undefined || undefined));
    await unharmed();
  });

  it('takes a region out once no request is on its way to it, and no request fails', async () => {
    await startLoad(['east', 'west', 'north']);
    const { delete: gone = [], update = [], ...others } = steps(await kbf('up', await settings(['east', 'west'])));
    assert.deepEqual(others, {});
    assert.deepEqual(gone.filter((each) => !ofRegion('north').test(each)), []);
    assert.deepEqual(update, settingsOfAll);
    await unharmed();
    assert.equal(await kubectl('north', 'get', 'namespace', 'kafka-bridge', '--ignore-not-found', '--output', 'name'), '');
    assert.deepEqual(Object.keys((await kbf('up', await settings(['east', 'west']))).changes), ['same']);
  });

  it('restarts brokers and bridges one at a time for changed settings, and no request fails', async () => {
    const podsOf = async (context: string, namespace: string, kind: string): Promise<string[]> =>
      (await kubectl(context, '--namespace', namespace, 'get', 'pods', '--selector', `strimzi.io/kind=${kind}`, '--output', 'jsonpath={.items[*].metadata.uid}')).split(' ');
    const pods = async (): Promise<string[]> => [...await podsOf('kafka', 'kafka-cluster', 'Kafka'), ...await podsOf('east', 'kafka-bridge', 'KafkaBridge')];
    const before = await pods();
    await startLoad(['east', 'west']);
    await kbf('up', await settings(['east', 'west'], { kafka: { config: { 'log.retention.hours': 100 } }, bridge: { executorThreads: 40 } }));
    await unharmed();
    await eventually('every pod is another', 40_000, async () => (await pods()).every((uid) => !before.includes(uid)) || undefined);
  });

  it('refuses what would delete records, before anything is changed', async () => {
    for (const kafka of [{ namespace: 'elsewhere' }, { storage: { size: '500Mi' } }]) {
      const { exitCode, all } = await workshop.start('up', '--sandbox', name, '--config', await settings(['east', 'west'], { kafka }));
      assert.equal(exitCode, 1, all);
      assert.match(all, /nothing was changed:\n +kafka\.(namespace: elsewhere|storage\.size: 500Mi) is wanted/);
    }
    assert.deepEqual(Object.keys((await kbf('refresh', await settings(['east', 'west']))).changes), ['same']);
  });

  describe('when the API server of one region hangs', () => {
    const changed: Settings = { bridge: { executorThreads: 48 } };
    let lastOutputs: Outputs;
    let lastState: string;

    /** Stopped, its connections stay, and nobody answers. */
    async function signalApiServer(signal: 'STOP' | 'CONT'): Promise<void> {
      const { processes } = await workshop.json<{ processes: { name: string; pid: number }[] }>('sandbox', 'status', '--name', name);
      const pid = processes.find((process) => process.name === 'kube-apiserver (west)')?.pid ?? assert.fail('west has no API server');
      // Its whole process group.
      await workshop.inside(name, 'kill', `-${signal}`, '--', `-${String(pid)}`);
    }

    /** What the engine remembers of west. What is encrypted is encrypted anew at every writing. */
    async function stateOfWest(): Promise<string> {
      const text = await readFile(join(sandbox.dir, 'pulumi/state/.pulumi/stacks/kafka-bridge-failover', `${stack}.json`), 'utf8');
      const { checkpoint } = JSON.parse(text) as { checkpoint: { latest: { resources: { urn: string; id?: string; inputs?: object; outputs?: object }[] } } };
      const resources = checkpoint.latest.resources.filter(({ urn }) => /::west(-|$)/.test(urn)).sort((a, b) => a.urn.localeCompare(b.urn));
      return JSON.stringify(resources.map(({ urn, id, inputs, outputs }) => ({ urn, id, inputs, outputs })), (key, value: unknown) => (key === 'ciphertext' ? '' : value), 1);
    }

    before(async () => {
      lastOutputs = (await kbf('up', await settings(['east', 'west']))).outputs;
      lastState = await stateOfWest();
      await signalApiServer('STOP');
    });

    it('says so at once, with its address and what to do, and changes nothing', async () => {
      const startedAt = performance.now();
      for (const operation of ['up', 'refresh', 'destroy']) {
        const { exitCode, all } = await workshop.start(operation, '--sandbox', name, '--config', await settings(['east', 'west'], changed));
        assert.equal(exitCode, 1, all);
        assert.match(all, /Cluster west \(region west\) does not answer at https:\/\/10\.\S+:6443: no answer in time\.\nNothing was changed\.\n.*--(skip-region west|abandon-unreachable)/);
      }
      console.log(`      three refusals took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
      assert.equal(await stateOfWest(), lastState);
    });

    it('works on the others when told to skip it, and keeps what is known of it', async () => {
      await startLoad(['east', 'west']);
      const answer = await kbf('up', await settings(['east', 'west'], changed), '--skip-region', 'west');
      assert.deepEqual(steps(answer)['update'], ['KafkaBridgeRegion east: east-bridge']);
      assert.deepEqual([...new Set(answer.resources.map(({ component }) => component))], ['KafkaBridgeRegion east']);
      assert.deepEqual(answer.outputs, lastOutputs);
      assert.equal(await stateOfWest(), lastState);
      await kbf('refresh', await settings(['east', 'west'], changed), '--skip-region', 'west');
      assert.equal(await stateOfWest(), lastState);
      await unharmed();
    });

    it('adds a region while another is skipped, and takes it out again', async () => {
      await startLoad(['east', 'west']);
      const added = steps(await kbf('up', await settings(['east', 'west', 'north'], changed), '--skip-region', 'west'));
      assert.deepEqual(added['create']?.filter((each) => !ofRegion('north').test(each)), []);
      assert.deepEqual(added['update'], settingsOfAll);
      const since = load?.now ?? 0;
      await eventually('answers from north and from west, which goes on serving', 20_000, () => Promise.resolve(['north', 'west'].every((region) => load?.shares(since)[region] !== undefined) || undefined));
      const removed = steps(await kbf('up', await settings(['east', 'west'], changed), '--skip-region', 'west'));
      assert.deepEqual(removed['delete']?.filter((each) => !ofRegion('north').test(each)), []);
      assert.equal(await stateOfWest(), lastState);
      await unharmed();
    });

    it('destroys the rest when told to, lists what is left there, and takes it up again when it answers', async function () {
      this.timeout(900_000); // components/deletion.ts says why a deletion may take its whole time
      const file = await settings(['east', 'west'], changed);
      const { orphans, orphanFile } = await destroy(file, '--abandon-unreachable');
      assert.deepEqual([...new Set(orphans.map(({ cluster }) => cluster))], ['west']);
      assert.ok(orphans.some(({ kind, namespace, name: object }) => kind === 'KafkaBridge' && namespace === 'kafka-bridge' && object === 'kafka-bridge'), JSON.stringify(orphans));
      assert.doesNotMatch(await readFile(orphanFile, 'utf8'), /PRIVATE KEY/);
      for (const [context, namespace] of [['kafka', 'kafka-cluster'], ['east', 'kafka-bridge'], ['central', 'edge']] as const) {
        assert.equal(await kubectl(context, 'get', 'namespace', namespace, '--ignore-not-found', '--output', 'name'), '', `${namespace} in ${context}`);
      }
      assert.equal((await destroy(file)).orphans.length, orphans.length, 'they are remembered');

      await signalApiServer('CONT');
      await eventually('west answers', 30_000, () => kubectl('west', 'get', '--raw', '/readyz'));
      assert.deepEqual((await destroy(file)).orphans, []);
      assert.equal(await kubectl('west', 'get', 'namespace', 'kafka-bridge', '--ignore-not-found', '--output', 'name'), '');
    });
  });
});
