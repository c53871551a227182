import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planClusters } from '../../sandbox/machine/clusters.ts';
import { pkiFiles } from '../../sandbox/machine/pki-files.ts';
import { createPki } from '../../sandbox/machine/pki.ts';

describe('createPki', () => {
  const clusters = planClusters(2);
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kbf-pki-'));
    await createPki(dir, clusters);
  });
  after(() => rm(dir, { recursive: true }));

  const load = async (path: string) => new X509Certificate(await readFile(path));

  it('signs every certificate with the one CA, and only the CA may sign', async () => {
    const ca = await load(pkiFiles(dir).ca.cert);
    assert.ok(ca.ca);
    const leaves = (await readdir(join(dir, 'pki'))).filter((f) => f.endsWith('.crt') && f !== 'ca.crt' && !f.startsWith('service-account'));
    assert.equal(leaves.length, 7 + 2 * clusters.length);
    for (const file of leaves) {
      const leaf = await load(join(dir, 'pki', file));
      assert.ok(leaf.verify(ca.publicKey), file);
      assert.ok(!leaf.ca, file);
    }
  });

  it('names in an API server\'s certificate what clients inside and outside ask for', async () => {
    const kafka = clusters[0];
    assert.ok(kafka);
    const cert = await load(pkiFiles(dir).apiServer(kafka).cert);
    for (const ip of ['10.11.0.2', '10.111.0.1']) assert.equal(cert.checkIP(ip), ip);
    for (const host of ['kubernetes', 'kubernetes.default.svc.cluster.local']) assert.equal(cert.checkHost(host), host);
    assert.equal(cert.checkIP('10.12.0.2'), undefined);
  });

  it('makes people and our own processes members of system:masters, and no one else', async () => {
    const files = pkiFiles(dir);
    for (const { cert } of [files.admin, files.agent, files.loadBalancer]) assert.match((await load(cert)).subject, /O=system:masters/);
    for (const { cert } of [files.etcdClient, files.kubeletClient]) assert.doesNotMatch((await load(cert)).subject, /system:masters/);
  });

  it('gives every certificate its own key, in files only the owner can read', async () => {
    const { admin } = pkiFiles(dir);
    assert.ok((await load(admin.cert)).checkPrivateKey(createPrivateKey(await readFile(admin.key))));
    for (const file of await readdir(join(dir, 'pki'))) assert.equal((await stat(join(dir, 'pki', file))).mode & 0o777, 0o600, file);
  });

  it('signs service account tokens with a different key in each cluster', async () => {
    const keys = await Promise.all(clusters.map((c) => readFile(pkiFiles(dir).serviceAccount(c).key, 'utf8')));
    assert.equal(new Set(keys).size, clusters.length);
  });

  it('keeps what a stopped sandbox has', async () => {
    const before = await readFile(pkiFiles(dir).admin.cert, 'utf8');
    await createPki(dir, clusters);
    assert.equal(await readFile(pkiFiles(dir).admin.cert, 'utf8'), before);
  });
});
