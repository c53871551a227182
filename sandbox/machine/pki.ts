// The certificate library needs the polyfill before it.
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { apiServerIp, etcdIp, kubernetesServiceIp } from './clusters.ts';
import type { ClusterInfo } from './clusters.ts';
import { pkiFiles } from './pki-files.ts';
import type { Pair } from './pki-files.ts';

/**
 * Makes a certificate authority and everything it signs for a new sandbox: ECDSA P-256, files with mode 0600,
 * valid for a year. A sandbox that was stopped keeps its own: the CA's key file is written last and marks it complete.
 */
export async function createPki(dir: string, clusters: readonly ClusterInfo[]): Promise<void> {
  const files = pkiFiles(dir);
  if (await exists(files.ca.key)) return;
  await mkdir(join(dir, 'pki'), { recursive: true, mode: 0o700 });
  const authority = await createAuthority();
  const issue = async (to: Pair, subject: Subject) => { await writePair(to, await signed(authority, subject)); };
  const masters = 'system:masters';
  await Promise.all([
    issue(files.etcd, { cn: 'etcd', hosts: [etcdIp] }),
    issue(files.etcdClient, { cn: 'kube-apiserver' }),
    issue(files.kubeletClient, { cn: 'kube-apiserver-kubelet-client' }),
    issue(files.admin, { cn: 'sandbox-admin', o: masters }),
    issue(files.controllerManager, { cn: 'system:kube-controller-manager', o: masters }),
    issue(files.agent, { cn: 'sandbox-node-agent', o: masters }),
    issue(files.loadBalancer, { cn: 'sandbox-load-balancer', o: masters }),
    ...clusters.flatMap((c) => [
      issue(files.apiServer(c), { cn: `kube-apiserver-${c.name}`, hosts: apiServerNames(c) }),
      issue(files.kubelet(c), { cn: `system:node:${c.name}-node`, hosts: [c.nodeIp] }),
      newKeys().then((keys) => writeKeys(files.serviceAccount(c), keys)),
    ]),
  ]);
  await writePair(files.ca, authority);
}

function apiServerNames(c: ClusterInfo): string[] {
  const inCluster = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  return [...inCluster, apiServerIp(c), kubernetesServiceIp(c)];
}

interface Subject { cn: string; o?: string; hosts?: readonly string[] }
interface Signed { cert: x509.X509Certificate; keys: webcrypto.CryptoKeyPair }

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

async function createAuthority(): Promise<Signed> {
  const keys = await newKeys();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['kafka-bridge-failover sandbox'] }],
    keys, signingAlgorithm: algorithm, ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert, keys };
}

/** A leaf that serves for both ends of TLS: a client's has no hosts, a server's names them. */
async function signed(by: Signed, { cn, o, hosts = [] }: Subject): Promise<Signed> {
  const keys = await newKeys();
  const cert = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [cn] }, ...(o === undefined ? [] : [{ O: [o] }])],
    issuer: by.cert.subjectName,
    signingKey: by.keys.privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: algorithm, ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(by.keys.publicKey),
      ...(hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hosts.map(alternativeName))]),
    ],
  });
  return { cert, keys };
}

function alternativeName(host: string): { type: 'dns' | 'ip'; value: string } {
  return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

// An hour in the past, for clocks that are set back after a suspend.
function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 365 * 86_400_000) };
}

async function writePair(to: Pair, { cert, keys }: Signed): Promise<void> {
  await writeFile(to.cert, cert.toString('pem') + '\n', { mode: 0o600 });
  await writeFile(to.key, await pem(keys.privateKey, 'pkcs8', 'PRIVATE KEY'), { mode: 0o600 });
}

async function writeKeys(to: Pair, keys: webcrypto.CryptoKeyPair): Promise<void> {
  await writeFile(to.cert, await pem(keys.publicKey, 'spki', 'PUBLIC KEY'), { mode: 0o600 });
  await writeFile(to.key, await pem(keys.privateKey, 'pkcs8', 'PRIVATE KEY'), { mode: 0o600 });
}

async function pem(key: webcrypto.CryptoKey, format: 'pkcs8' | 'spki', label: string): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey(format, key), label) + '\n';
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
