import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeEntry } from '../../automation/drill/faults/journal.ts';
import { clientConfig } from '../../automation/drill/client-config.ts';
import { drillKubeconfig } from '../../automation/drillKubeconfig.ts';
import { Environment } from '../../automation/environment.ts';
import { main } from '../../automation/kbf.ts';
import { runWorker } from '../../automation/runWorker.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import { completeContexts, reachedContext } from '../../config/kubeconfig.ts';
import type { Configuration } from '../../config/schema.ts';
import { startFakeCluster } from '../fixtures/fake-cluster.ts';
import { fakeModules } from '../fixtures/fake-sandbox.ts';
import { Sink } from '../fixtures/sink.ts';

/** A kubeconfig whose cluster and user are called as in every other. */
function kubeconfig(context: string, cluster: object = {}, user: object = { token: `of ${context}` }): object {
  return {
    apiVersion: 'v1', kind: 'Config', clusters: [{ name: 'kubernetes', cluster: { server: `https://${context}.invalid:6443`, ...cluster } }],
    users: [{ name: 'admin', user }], contexts: [{ name: context, context: { cluster: 'kubernetes', user: 'admin', namespace: 'x' } }, { name: 'other', context: { cluster: 'kubernetes', user: 'admin' } }],
  };
}

/** Kafka, TSB and tier1 in `central`, which the common file has, and a region in each of the others. */
function settings(change: object): object {
  return {
    hostname: 'kafka.invalid', kafka: { context: 'central', domain: 'kafka.invalid' },
    regions: [{ name: 'east', context: 'east', tsbCluster: 'e' }, { name: 'west', context: 'west', tsbCluster: 'w' }],
    tsb: { context: 'central', organization: 'o', tenant: 't' }, tier1: { context: 'central', tsbCluster: 'c' },
    ...change,
  };
}

describe('the kubeconfig of a drill', () => {
  let directory: string;
  const scratch = (): string => join(directory, 'state', 'tmp');
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-access-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  const write = async (path: string, content: object): Promise<string> => {
    const file = join(directory, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, stringify(content));
    return file;
  };
  const program = async (path: string, script: string): Promise<void> => {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), `#!/bin/sh\n${script}\n`);
    await chmod(join(directory, path), 0o755);
  };
  const parsed = (change: object): Configuration => parseConfiguration(settings(change), directory, 'unchecked');
  /** East and west have a file each. */
  const apart = async (east = kubeconfig('east')): Promise<Configuration> => {
    await Promise.all([write('common', kubeconfig('central')), write('of-east/config', east), write('of-west/config', kubeconfig('west'))]);
    return parsed({ kubeconfig: 'common', regions: [{ name: 'east', context: 'east', tsbCluster: 'e', kubeconfig: 'of-east/config' }, { name: 'west', context: 'west', tsbCluster: 'w', kubeconfig: 'of-west/config' }] });
  };

  it('is the one that the settings name, where it is for all', async () => {
    await using one = await drillKubeconfig(parsed({ kubeconfig: 'common' }), scratch());
    assert.equal(one.path, join(directory, 'common'));
    await assert.rejects(stat(scratch()), { code: 'ENOENT' });
  });

  it('is made of several, with every context as the settings have it, for its owner alone and no longer than the drill', async () => {
    const configuration = await apart();
    {
      await using one = await drillKubeconfig(configuration, scratch());
      assert.equal((await stat(one.path)).mode & 0o777, 0o600);
      const contexts = completeContexts({ file: one.path });
      assert.deepEqual([...contexts].map(([context, { cluster, user }]) => [context, cluster['server'], user['token']]).sort(), ['central', 'east', 'west'].map((context) => [context, `https://${context}.invalid:6443`, `of ${context}`]));
      assert.equal((await readdir(scratch())).length, 1);
    }
    assert.deepEqual(await readdir(scratch()), []);
  });

  it('that is no YAML is named without the line that is wrong, where a token may stand', async () => {
    const file = join(directory, 'broken');
    for (const [token, says] of [['s3cr3t: x', /at line 4, column 12$/], ['*s3cr3t', /an alias without its anchor$/], ['|s3cr3t', /at line 4/], ['@s3cr3t', /at line 4/], ['{{s3cr3t}}', /a key that is no text/]] as const) {
      await writeFile(file, `users:\n- name: east\n  user:\n    token: ${token}\n`);
      assert.throws(() => completeContexts({ file }), (error: Error) => says.test(error.message) && !error.message.includes('s3cr3t') && error.cause === undefined, token);
    }
  });

  it('finds what lies beside the files that it is made of', async () => {
    const user = { 'client-certificate': 'me.crt', 'client-key': '/keys/me.key', tokenFile: '../token', exec: { command: './plugin', args: ['./x'] } };
    await using one = await drillKubeconfig(await apart(kubeconfig('east', { 'certificate-authority': 'pki/ca.crt' }, user)), scratch());
    const beside = (path: string): string => join(directory, 'of-east', path);
    assert.deepEqual(completeContexts({ file: one.path }).get('east'), {
      cluster: { server: 'https://east.invalid:6443', 'certificate-authority': beside('pki/ca.crt') },
      user: { 'client-certificate': beside('me.crt'), 'client-key': '/keys/me.key', tokenFile: join(directory, 'token'), exec: { command: beside('plugin'), args: ['./x'] } },
    });
  });

  it('is what the drill’s client reads, which tells plugins of the cluster and knows files of tokens', async () => {
    await writeFile(join(directory, 'token'), 'from a file\n');
    const plugin = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', 'console.log(JSON.stringify({ status: { token: JSON.parse(process.env.KUBERNETES_EXEC_INFO).spec.cluster.server } }))'], provideClusterInfo: true };
    const authorization = async (user: object): Promise<unknown> => {
      const options: { headers?: Record<string, string> } = {};
      const parts = reachedContext({ file: await write('one', kubeconfig('east', {}, user)) }, 'east');
      assert.ok(parts !== undefined);
      await clientConfig(parts).applyToHTTPSOptions(options);
      return options.headers?.['Authorization'];
    };
    assert.equal(await authorization({ tokenFile: 'token', token: undefined }), 'Bearer from a file');
    assert.equal(await authorization({ exec: plugin, token: undefined }), 'Bearer https://east.invalid:6443');
    assert.equal(await authorization({ token: 'of east' }), 'Bearer of east');
  });

  it('leaves a plugin that is on PATH to PATH', async () => {
    await using one = await drillKubeconfig(await apart(kubeconfig('east', {}, { exec: { command: 'aws' } })), scratch());
    assert.deepEqual(completeContexts({ file: one.path }).get('east')?.user, { exec: { command: 'aws' } });
  });

  it('is none where a cluster is in no file, which is said by its context, and leaves nothing', async () => {
    const configuration = await apart();
    await write('of-west/config', kubeconfig('elsewhere'));
    await assert.rejects(drillKubeconfig(configuration, scratch()), { exitCode: 2, message: /^context west \(region west\) cannot be reached: .*of-west\/config has no such context/ });
    await rm(join(directory, 'of-west/config'));
    await assert.rejects(drillKubeconfig(configuration, scratch()), { exitCode: 2, message: /^context west \(region west\) cannot be reached: .*ENOENT/ });
    await assert.rejects(stat(scratch()), { code: 'ENOENT' });
  });

  describe('on GKE', () => {
    const gcp = { project: 'p-12345', clusters: { east: { name: 'e', location: 'us-east1' } } };
    const path = process.env['PATH'];
    beforeEach(() => { process.env['PATH'] = `${directory}:/usr/bin:/bin`; });
    afterEach(() => { process.env['PATH'] = path; });
    const onGke = async (): Promise<Configuration> => {
      // A context of the same name in the common file is another cluster than the one that `up` asks Google for.
      await write('common', { ...kubeconfig('west'), contexts: ['central', 'west', 'east'].map((name) => ({ name, context: { cluster: 'kubernetes', user: 'admin' } })) });
      return parsed({ kubeconfig: 'common', gcp });
    };

    it('has what gcloud says, by the name that the settings give it', async () => {
      const given = 'gke_p-12345_us-east1_e';
      const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'gke-gcloud-auth-plugin', provideClusterInfo: true } };
      const text = stringify({ clusters: [{ name: given, cluster: { server: 'https://34.1.2.3', 'certificate-authority-data': 'Q0E=' } }], users: [{ name: given, user }], contexts: [{ name: given, context: { cluster: given, user: given } }], 'current-context': given });
      await writeFile(join(directory, 'given'), text);
      await program('gke-gcloud-auth-plugin', '');
      await program('gcloud', `cat ${join(directory, 'given')} > "$KUBECONFIG"`);
      await using one = await drillKubeconfig(await onGke(), scratch());
      const contexts = completeContexts({ file: one.path });
      assert.deepEqual(contexts.get('east'), { cluster: { server: 'https://34.1.2.3', 'certificate-authority-data': 'Q0E=' }, user });
      assert.equal(contexts.get('west')?.cluster['server'], 'https://west.invalid:6443');
    });

    it('is none without gcloud, or where it refuses', async () => {
      await program('gke-gcloud-auth-plugin', '');
      const configuration = await onGke();
      process.env['PATH'] = directory;
      await assert.rejects(drillKubeconfig(configuration, scratch()), { exitCode: 2, message: /^context east \(region east\) cannot be reached: .*gcloud is not on PATH/, remedy: /put gcloud on PATH/ });
      process.env['PATH'] = `${directory}:/usr/bin:/bin`;
      await program('gcloud', 'echo "ERROR: not found" >&2; exit 1');
      await assert.rejects(drillKubeconfig(configuration, scratch()), { message: /GKE cluster e in us-east1 of project p-12345: ERROR: not found/, remedy: /are you logged in/ });
    });
  });

  describe('in a process of its own', () => {
    // Whoever runs this may be logged in to a backend.
    const variables = ['PULUMI_CONFIG_PASSPHRASE', 'PULUMI_CREDENTIALS_PATH'];
    let before: (string | undefined)[];
    beforeEach(() => {
      before = variables.map((name) => process.env[name]);
      for (const name of variables) process.env[name] = directory;
    });
    afterEach(() => {
      variables.forEach((name, index) => {
        if (before[index] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[index];
      });
    });

    it('is there for a drill, of the command and of the library, and for healing, and gone when they end', async () => {
      await using clusters = new AsyncDisposableStack();
      const [central, east] = [clusters.use(await startFakeCluster('central')), clusters.use(await startFakeCluster('east'))];
      const regions = [{ name: 'east', context: 'east', tsbCluster: 'e', kubeconfig: east.kubeconfig }, { name: 'central', context: 'central', tsbCluster: 'c' }];
      const file = await write('Pulumi.apart.yaml', { config: Object.fromEntries(Object.entries(settings({ kubeconfig: central.kubeconfig, regions })).map(([key, value]) => [`kafka-bridge-failover:${key}`, value])) });
      const region = (name: string) => ({ name, context: name, namespace: 'kafka-bridge', bridge: 'bridge', gatewayAddress: '10.0.0.1' });
      // The Lease is in east, which the common file does not have.
      const outputs = { hostname: 'kafka.invalid', tier1Address: '127.0.0.1', kafka: { bootstrapServers: '127.0.0.1:1' }, regions: regions.map(({ name }) => region(name)) };
      east.allows = () => false;
      const kbf = async (...argv: string[]): Promise<string> => {
        const stderr = new Sink();
        await main([...argv, '--config', file, '--state-dir', join(directory, 'state')], {
          stdout: new Sink(), stderr, modules: () => Promise.resolve(fakeModules({})),
          work: async (request, o) => (request.operation === 'outputs' ? outputs : await runWorker(request, o)),
        });
        return stderr.text;
      };
      assert.match(await kbf('drill', '--report', join(directory, 'report')), /your credentials for cluster east may not/);
      assert.deepEqual(await readdir(scratch()), []);

      await program('bin/pulumi', `[ "$1" = version ] && echo v3.259.0; [ "$1 $2" = "stack output" ] && echo '${JSON.stringify(outputs)}'; exit 0`);
      const environment = await Environment.open({ configFile: file, stateDir: join(directory, 'state'), pulumiBin: join(directory, 'bin') });
      await assert.rejects(environment.drill({ reportDir: join(directory, 'report') }), { exitCode: 2, message: /your credentials for cluster east may not/ });
      assert.deepEqual(await readdir(scratch()), []);

      const refs = { run: 'run-1', region: region('east'), regions: [], lease: { context: 'east', namespace: 'edge' }, forSeconds: 1 };
      await writeEntry(join(directory, 'state', 'drill', 'apart'), { schema: 'kbf-fault/2', run: 'run-1', fault: 'bridge-scale-0', target: 'a bridge', refs, undo: { uid: 'u', replicas: 1, owners: [] }, at: '2026-01-01T00:00:00Z' });
      assert.match(await kbf('faults', 'heal'), /your credentials for cluster east may not get leases in namespace edge/);
      assert.deepEqual(await readdir(scratch()), []);
    }).timeout(120_000);
  });
});
