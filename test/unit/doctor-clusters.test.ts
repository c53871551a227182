import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ApiServer } from '../../automation/doctor/apiServer.ts';
import { judgeClocks } from '../../automation/doctor/clocks.ts';
import { openClusters } from '../../automation/doctor/clusters.ts';
import { Check, type Finding, lineOf } from '../../automation/doctor/finding.ts';
import { judgeKubeconfig } from '../../automation/doctor/kubeconfig.ts';
import { kubeconfigText, startFakeCluster } from '../fixtures/fake-cluster.ts';
import { makeCertificate } from '../fixtures/made-certificate.ts';
import { configuration, short, TwoClusters } from './doctor-fixtures.ts';

describe('doctor: the way to a cluster', () => {
  const two = new TwoClusters();
  it('is right when kubeconfig, address and credentials are', async () => {
    const { east: one, west: other } = two;
    const places = { regions: [{ name: 'east', context: 'east', kubeconfig: one.kubeconfig }, { name: 'west', context: 'west', kubeconfig: other.kubeconfig }] };
    const at = { context: 'east', kubeconfig: one.kubeconfig };
    const settings = configuration({ ...places, kafka: { ...at, domain: 'kafka.invalid' }, tsb: { ...at, organization: 'tetrate', tenant: 'kafka' }, tier1: at });
    const { clusters, findings } = await openClusters(settings);
    assert.deepEqual(short(findings), [
      `ok east: ${one.kubeconfig}, user me`, `ok east: ${one.server} answers, Kubernetes v1.34.1`, `ok west: ${other.kubeconfig}, user me`, `ok west: ${other.server} answers, Kubernetes v1.34.1`,
    ]);
    assert.ok(clusters.every(({ api, skewMs }) => api !== undefined && Math.abs(skewMs ?? Infinity) < 3_000));

    one.statuses.set('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 401);
    await other.stop();
    const broken = await openClusters(settings);
    assert.deepEqual(broken.findings.map(({ check, verdict }) => `${check} ${verdict}`), ['kubeconfig ok', 'reachable fault', 'kubeconfig ok', 'reachable fault']);
    assert.match(broken.findings[1]?.found ?? '', /refuses the credentials/);
    assert.match(broken.findings[3]?.found ?? '', /does not answer: connection refused/);
    assert.match(broken.findings[3]?.remedy ?? '', /kubectl --kubeconfig .* --context west version/);
    assert.ok(broken.clusters.every(({ api }) => api === undefined));
  }).timeout(20_000);

  const allOf = (kubeconfig: string) => {
    const at = { context: 'east', kubeconfig };
    const regions = ['east', 'west'].map((name) => ({ name, context: name, kubeconfig: name === 'east' ? kubeconfig : two.west.kubeconfig }));
    return configuration({ regions, kafka: { ...at, domain: 'kafka.invalid' }, tsb: { ...at, organization: 'tetrate', tenant: 'kafka' }, tier1: at });
  };

  it('is said to end soon where its server’s certificate does, and how far its clock is ahead', async () => {
    await using ending = await startFakeCluster('east', await makeCertificate('127.0.0.1', { begins: -300, ends: 5 }));
    ending.aheadMs = 90_000;
    const { clusters, findings } = await openClusters(allOf(ending.kubeconfig));
    assert.match(findings.filter(({ subject }) => subject === 'east').map(lineOf).at(-1) ?? '', /^warning .* answers, Kubernetes v1\.34\.1, with a certificate that is good until .*\(4 days\)\. Renew it/);
    assert.ok(Math.abs((clusters.find(({ context }) => context === 'east')?.skewMs ?? 0) - 90_000) < 3_000);
  });

  it('is tried also with a client certificate that has ended, as this machine’s clock may be wrong', async () => {
    const { cert, key } = await makeCertificate('me', { begins: -300, ends: -1 });
    const user = { 'client-certificate-data': Buffer.from(cert).toString('base64'), 'client-key-data': Buffer.from(key).toString('base64') };
    await writeFile(two.east.kubeconfig, (await readFile(two.east.kubeconfig, 'utf8')).replace('user: {}', `user: ${JSON.stringify(user)}`));
    const { findings } = await openClusters(allOf(two.east.kubeconfig));
    assert.deepEqual(findings.filter(({ subject }) => subject === 'east').map(({ check, verdict }) => `${check} ${verdict}`), ['kubeconfig fault', 'reachable ok']);
  });

  it('is not looked for when the kubeconfig is of no use', async () => {
    const { findings } = await openClusters(configuration());
    assert.deepEqual([...new Set(findings.map(({ check, verdict }) => `${check} ${verdict}`))], ['kubeconfig fault', 'reachable unchecked']);
  });
});

describe('doctor: kubeconfigs', () => {
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-doctor-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  const judged = async (user: object, context = 'east'): Promise<Finding> => {
    const file = join(directory, 'kubeconfig');
    await writeFile(file, kubeconfigText('east', 'https://127.0.0.1:1', 'ca', user));
    return await judgeKubeconfig({ context, kubeconfig: file });
  };
  const certificate = async (begins: number, ends: number): Promise<object> => {
    const { cert, key } = await makeCertificate('me', { begins, ends });
    return { 'client-certificate-data': Buffer.from(cert).toString('base64'), 'client-key-data': Buffer.from(key).toString('base64') };
  };

  it('are missed where there is none, or not the context', async () => {
    assert.match((await judgeKubeconfig({ context: 'east', kubeconfig: join(directory, 'none') })).found, /none: there is no such file/);
    const { verdict, found, expected } = await judged({}, 'est');
    assert.deepEqual([verdict, expected], ['fault', 'east']);
    assert.match(found, /has no context est; was east meant\?/);
    await writeFile(join(directory, 'bad'), 'a: [');
    assert.equal((await judgeKubeconfig({ context: 'east', kubeconfig: join(directory, 'bad') })).verdict, 'fault');
  });

  it('are missed where they name what they do not have, or do not check whom they reach', async () => {
    const changed = async (from: string, to: string): Promise<string> => {
      const file = join(directory, 'changed');
      await writeFile(file, kubeconfigText('east', 'https://127.0.0.1:1', 'ca', {}).replace(from, to));
      return lineOf(await judgeKubeconfig({ context: 'east', kubeconfig: file }));
    };
    assert.match(await changed('cluster: east', 'cluster: gone'), /^fault .*context east of .*changed names a cluster that the file does not have\. Complete the file/);
    assert.match(await changed('user: me', 'user: gone'), /^fault .*names a user that the file does not have/);
    assert.match(await changed('certificate-authority-data:', 'insecure-skip-tls-verify: true\n      ignored:'), /^warning .*does not check whether https:\/\/127\.0\.0\.1:1 is the cluster \(insecure-skip-tls-verify\)/);
  });

  it('have client certificates in files, or what is none', async () => {
    const file = join(directory, 'me.crt');
    await writeFile(file, (await makeCertificate('me', { begins: -300, ends: -1 })).cert);
    assert.match(lineOf(await judged({ 'client-certificate': file, 'client-key': file })), /^fault .*client certificate until .*which is over/);
    assert.match(lineOf(await judged({ 'client-certificate-data': Buffer.from('none').toString('base64') })), /^fault .*the client certificate of user me in .* is none\. Get the file anew/);
  });

  it('have client certificates that last, end soon, or have ended', async () => {
    const [lasting, soon, over, early] = await Promise.all([[-1, 300], [-300, 10], [-300, -1], [1, 300]].map(async ([begins = 0, ends = 0]) => certificate(begins, ends)));
    assert.match(lineOf(await judged(lasting ?? {})), /^ok .*client certificate until \d{4}-\d\d-\d\d \(299 days\)/);
    assert.match(lineOf(await judged(soon ?? {})), /^warning .*\(9 days\)\. Get the file anew/);
    assert.match(lineOf(await judged(over ?? {})), /^fault .*which is over/);
    assert.match(lineOf(await judged(early ?? {})), /^fault .*only from/);
  });

  it('may get credentials from a program, which has to be there', async () => {
    const program = join(directory, 'credentials');
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
    const exec = (command: string, hint?: string): object => ({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command, ...(hint === undefined ? {} : { installHint: hint }) } });
    assert.equal((await judged(exec(program))).verdict, 'ok');
    const { verdict, found, remedy } = await judged(exec('no-such-plugin', 'Install it from there.'));
    assert.deepEqual([verdict, remedy], ['fault', 'Install it from there.']);
    assert.match(found, /no-such-plugin, which is not on PATH/);
  });
});

describe('doctor: clocks', () => {
  const two = new TwoClusters();
  const judged = async (...skews: (number | undefined)[]): Promise<string> => {
    const all = await two.look();
    return lineOf(judgeClocks({ ...all, clusters: all.clusters.map((cluster, index) => ({ ...cluster, skewMs: skews[index] })) }));
  };

  it('agree, or not, or cannot be seen', async () => {
    assert.match(await judged(400, -900), /^ok .*east, west, this machine +agree within 3 s/);
    assert.match(await judged(200, 12_000), /^warning .*west is 12 s ahead of this machine \(east \+0 s, west \+12 s against this machine\)\. Let NTP/);
    assert.match(await judged(-80_000, 12_000), /^fault .*west is 92 s ahead of east/);
    assert.match(await judged(undefined, undefined), /^unchecked .*no cluster says what time it is/);
  });

  it('are read from each answer', async () => {
    const { east: one } = two;
    one.aheadMs = 90_000;
    const { clock } = await (await ApiServer.open(one)).ask('/version');
    assert.ok(clock && Math.abs(clock.theirs - clock.ours - 90_000) < 3_000);
  });
});

describe('doctor: a look', () => {
  it('that meets what nobody thought of is not made, and says why', async () => {
    const check = new Check('x', 'y');
    assert.deepEqual(await check.look(async () => { await sleep(0); throw new Error('socket hang up\n    at x'); }), [check.unchecked('socket hang up')]);
  });
});
