import assert from 'node:assert/strict';

import { KubeConfig } from '@kubernetes/client-node';
import * as pulumi from '@pulumi/pulumi';

import { clustersOf } from '../../components/cluster.ts';
import { dnsRecords, reserveAddress } from '../../components/gcp-address.ts';
import { gkeKubeconfig } from '../../components/gke.ts';
import { unchangeable } from '../../components/unchangeable.ts';
import { record } from './pulumi-mocks.ts';
import { balancedAt, configuration, previousOf, recordTopology } from './topology-fixtures.ts';

const gcp = { project: 'my-project', clusters: { east: { name: 'gke-east', location: 'us-east1' } } };
const cluster = { endpoint: '34.1.2.3', masterAuths: [{ clusterCaCertificate: 'Q0E=', clientKey: 'secret-key', clientCertificate: '' }] };

describe('a GKE cluster', () => {
  it('is asked for by project, name and location, and gives a kubeconfig that has no secret', async () => {
    const calls: unknown[] = [];
    let text = '';
    await record(async () => { text = await gkeKubeconfig('east', gcp); }, (...call) => { calls.push(call); return cluster; });
    assert.deepEqual(calls, [['gcp:container/getCluster:getCluster', { project: 'my-project', name: 'gke-east', location: 'us-east1' }]]);
    assert.deepEqual(JSON.parse(text), {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'east', cluster: { server: 'https://34.1.2.3', 'certificate-authority-data': 'Q0E=' } }],
      users: [
        {
          name: 'east',
          user: {
            exec: {
              apiVersion: 'client.authentication.k8s.io/v1beta1',
              command: 'gke-gcloud-auth-plugin',
              installHint: 'Install gke-gcloud-auth-plugin: gcloud components install gke-gcloud-auth-plugin',
              interactiveMode: 'IfAvailable',
              provideClusterInfo: true,
            },
          },
        },
      ],
      contexts: [{ name: 'east', context: { cluster: 'east', user: 'east' } }],
      'current-context': 'east',
    });
    const config = new KubeConfig();
    config.loadFromString(text);
    assert.equal(config.getCurrentCluster()?.server, 'https://34.1.2.3');
  });

  it('is a provider of its own, beside those with a file', async () => {
    const settings = configuration({ gcp });
    const made = await record(() => { const of = clustersOf(settings); of('east'); of('west'); of('east'); }, () => cluster);
    assert.deepEqual(made.resources.map(({ name }) => name).sort(), ['east', 'west']);
    const [east, west] = ['east', 'west'].map((name) => made.inputsOf('pulumi:providers:kubernetes', name));
    assert.match(String(east?.['kubeconfig']), /"server":"https:\/\/34\.1\.2\.3"/);
    assert.equal(west?.['kubeconfig'], '/none');
    assert.deepEqual([east?.['context'], east?.['clusterIdentifier']], ['east', 'east']);
    assert.doesNotMatch(JSON.stringify(made.resources), /secret-key/);
  });

  it('that cannot be read is said by its place in the settings', async () => {
    const wrong = (answer: () => Record<string, unknown>, context = 'east') => {
      let failed: Promise<string> = Promise.resolve('');
      return record(() => { failed = gkeKubeconfig(context, gcp); failed.catch(() => undefined); }, answer).then(() => failed);
    };
    await assert.rejects(wrong(() => { throw Object.assign(new Error('13 INTERNAL'), { details: 'googleapi: Error 404: Not found\n at somewhere' }); }), (error: Error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(error.message, /^GKE cluster gke-east in us-east1 of project my-project \(gcp\.clusters\.east\) cannot be read: .*404: Not found\nIs it there, and are you logged in\?/);
      return true;
    });
    await assert.rejects(wrong(() => ({ endpoint: '', masterAuths: [] })), /has no endpoint yet/);
    await assert.rejects(wrong(() => cluster, 'south'), /context south is in no kubeconfig and not in gcp\.clusters/);
  });
});

describe('Google Cloud’s address and names', () => {
  it('are a reserved address of a region', async () => {
    let reserved: pulumi.Output<string> | undefined;
    const made = await record(() => { reserved = reserveAddress('tier1-address', { project: 'my-project', region: 'us-central1', address: 'kafka-tier1' }, {}); });
    assert.deepEqual(made.resources.map(({ type, name, inputs }) => [type, name, inputs]), [
      ['gcp:compute/address:Address', 'tier1-address', { name: 'kafka-tier1', project: 'my-project', region: 'us-central1' }],
    ]);
    assert.equal(await (reserved as unknown as { promise(): Promise<string> }).promise(), '34.0.0.9');
  });

  it('are an address that is protected', async () => {
    const protections: (boolean | undefined)[] = [];
    await record(() => reserveAddress('tier1-address', { project: 'my-project', address: 'kafka-tier1' }, { transformations: [({ opts }) => { protections.push(opts.protect); return undefined; }] }));
    assert.deepEqual(protections, [true]);
  });

  it('are an address that is not given back or exchanged while it is in use', async () => {
    const reserved = { project: 'my-project', region: 'us-central1', staticAddress: 'kafka-tier1' };
    const before = previousOf(await recordTopology({ gcp: reserved }, balancedAt('34.0.0.9')));
    const refused = (wanted: object | undefined) => unchangeable(before, configuration(wanted && { gcp: wanted })).map(({ path, running, wanted: instead }) => [path, running, instead]);
    assert.deepEqual(refused({ ...reserved, dnsZone: 'my-zone' }), []);
    assert.deepEqual(refused({ ...reserved, staticAddress: 'other' }), [['gcp.staticAddress', 'kafka-tier1', 'other']]);
    assert.deepEqual(refused({ ...reserved, project: 'other-project', region: 'us-east1' }), [['gcp.project', 'my-project', 'other-project'], ['gcp.region', 'us-central1', 'us-east1']]);
    for (const none of [undefined, { project: 'my-project', region: 'us-central1' }, { project: 'other-project' }]) assert.deepEqual(refused(none), [['gcp.staticAddress', 'kafka-tier1', 'none']], JSON.stringify(none));
    const [refusal] = unchangeable(before, configuration());
    assert.match(refusal?.instead ?? '', /^The reserved address would be given back, .*: set it back, or run destroy first\.$/);
    assert.deepEqual(unchangeable(previousOf(await recordTopology()), configuration({ gcp: reserved })), [], 'there was none');
  });

  const kinds: [string, string, string][] = [['34.0.0.9', 'A', '34.0.0.9'], ['2600:1900::1', 'AAAA', '2600:1900::1'], ['lb.example.net', 'CNAME', 'lb.example.net.']];
  for (const [address, type, target] of kinds) {
    it(`are records of type ${type} for ${address}`, async () => {
      const made = await record(() => dnsRecords('tier1-dns', { project: 'my-project', zone: 'my-zone', hosts: ['bridge.example', 'east.bridge.example'], address: pulumi.output(address) }, {}));
      assert.deepEqual(made.resources.map(({ type: token, name, inputs }) => [token, name, inputs]), ['bridge.example', 'east.bridge.example'].map((host) => [
        'gcp:dns/recordSet:RecordSet',
        `tier1-dns-${host}`,
        { project: 'my-project', managedZone: 'my-zone', name: `${host}.`, type, ttl: 60, rrdatas: [target] },
      ]));
    });
  }
});
