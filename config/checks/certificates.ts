import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { internalHosts, listenerHosts } from '../listener-hosts.ts';
import { certificatesOf } from '../pem.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import { asRecord, type Path, valueAt } from '../text.ts';
import { advertising } from './advertising.ts';

export const certificateRules = [
  '`kafka.certificate.hosts`, where given, covers every name that brokers advertise on listeners with that certificate, internal ones too; `*.` stands for one part.',
  'A `caCertificate` is one CA certificate that is still good, or several, one after the other, of which bridges trust each (the old and the new one while a CA is renewed), and nothing else.',
];

/** A list of host names that is given must have every name by which clients call a listener with this certificate. */
export function checkCertificateHosts(configuration: Readable): Finding[] {
  const given = configuration.kafka?.certificate?.hosts?.flatMap((host) => host ?? []);
  const kafka = advertising(configuration);
  if (given === undefined || kafka === undefined) return [];
  const own = (configuration.kafka?.listeners ?? []).flatMap((listener) => (listener?.certificate === 'own' && listener.tls === true ? listener.name ?? [] : []));
  const needed = kafka.listeners.filter(({ name }) => own.includes(name)).flatMap((listener) => {
    const { bootstrap, brokers } = listener.type === 'internal' ? internalHosts(kafka) : listenerHosts(kafka, listener);
    return [bootstrap, ...brokers];
  });
  const missing = [...new Set(needed)].filter((host) => !given.some((name) => covers(name, host)));
  return missing.length === 0 ? [] : [{ path: ['kafka', 'certificate', 'hosts'], allowed: `a list that has these, too, as brokers advertise them: ${missing.join(', ')}` }];
}

/** A wildcard stands for one label. */
function covers(name: string, host: string): boolean {
  return name === host || (name.startsWith('*.') && host.slice(host.indexOf('.')) === name.slice(1));
}

/** Certificates that are given, as text or by path. */
export function checkCertificateTexts(raw: unknown, directory: string): Finding[] {
  return [
    ['kafka', 'existing', 'caCertificate'],
    ['kafka', 'certificate', 'caCertificate'],
  ].flatMap((path) => {
    const given = valueAt(raw, path);
    const { file } = asRecord(given);
    if (typeof file === 'string' && file !== '') return ofFile([...path, 'file'], resolve(directory, file));
    return typeof given === 'string' && given.includes('-----END CERTIFICATE-----') ? ofText(path, given) : [];
  });
}

function ofFile(path: Path, file: string): Finding[] {
  if (!existsSync(file)) return [{ path, allowed: `the path of a PEM file: ${file} does not exist` }];
  try {
    return ofText(path, readFileSync(file, 'utf8'));
  } catch (error) {
    return [{ path, allowed: `the path of a PEM file that can be read: ${(error as Error).message}` }];
  }
}

/** Certificates and nothing else: never a key. */
function ofText(path: Path, pem: string): Finding[] {
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label]) => label);
  if (blocks.some((label) => label?.includes('PRIVATE KEY'))) return [{ path, found: 'a private key', allowed: 'CA certificates and nothing else' }];
  if (blocks.length === 0 || blocks.some((label) => label !== 'CERTIFICATE')) return [{ path, found: `${blocks.length} PEM blocks${blocks.length === 0 ? '' : ` (${blocks.join(', ')})`}`, allowed: 'one CA certificate, or several one after the other' }];
  const certificates = certificatesOf(pem);
  if (certificates.length !== blocks.length) return [notWhole(path)];
  return certificates.flatMap((certificate, index) => ofCertificate(path, certificate, certificates.length === 1 ? '' : ` (number ${index + 1} of ${certificates.length})`));
}

/** @param which of several */
function ofCertificate(path: Path, pem: string, which: string): Finding[] {
  try {
    const certificate = new X509Certificate(pem);
    if (!certificate.ca) return [{ path, found: `the certificate of ${certificate.subject.replaceAll('\n', ', ')}${which}, which is no CA’s`, allowed: 'the CA certificate that signed the listener’s' }];
    return new Date(certificate.validTo) < new Date() ? [{ path, found: `a certificate that ended ${certificate.validTo}${which}`, allowed: 'one that is still good' }] : [];
  } catch {
    return [notWhole(path, which)];
  }
}

function notWhole(path: Path, which = ''): Finding {
  return { path, found: `PEM text that is no certificate${which}`, allowed: 'one CA certificate as PEM, or several' };
}
