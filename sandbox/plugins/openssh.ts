/** Keys as OpenSSH writes them: RFC 4253 section 6.6 and OpenSSH's PROTOCOL.key. */
import { createHash, randomBytes } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';

/** A public key, and all three of its usual forms; empty where OpenSSH has none for it, as for P-224. */
export interface OpenSshKey {
  readonly publicKey: string;
  readonly md5: string;
  readonly sha256: string;
  readonly privateKey: string;
}

export function openSsh(key: KeyObject): OpenSshKey {
  const parts = partsOf(key);
  if (parts === undefined) return { publicKey: '', md5: '', sha256: '', privateKey: '' };
  const { type, open, hidden } = parts;
  const blob = Buffer.concat([string(type), ...open]);
  return {
    publicKey: `${type} ${blob.toString('base64')}\n`,
    md5: createHash('md5').update(blob).digest('hex').replaceAll(/(..)(?!$)/g, '$1:'),
    sha256: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    privateKey: pem(Buffer.concat([
      Buffer.from('openssh-key-v1\0'), string('none'), string('none'), string(''), uint32(1), string(blob), string(padded(type, hidden)),
    ])),
  };
}

interface Parts {
  type: string;
  /** What follows the type in a public key, and in a private one. */
  open: Buffer[];
  hidden: Buffer[];
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'nistp256', secp384r1: 'nistp384', secp521r1: 'nistp521' };

function partsOf(key: KeyObject): Parts | undefined {
  const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType === 'ec' && curve === undefined) return undefined;
  const jwk = key.export({ format: 'jwk' });
  const bytes = (name: keyof JsonWebKey): Buffer => Buffer.from(String(jwk[name]), 'base64url');
  const number = (name: keyof JsonWebKey): Buffer => integer(bytes(name));
  if (jwk.kty === 'RSA') {
    return { type: 'ssh-rsa', open: [number('e'), number('n')], hidden: ['n', 'e', 'd', 'qi', 'p', 'q'].map(number) };
  }
  if (curve === undefined) {
    return { type: 'ssh-ed25519', open: [string(bytes('x'))], hidden: [string(bytes('x')), string(Buffer.concat([bytes('d'), bytes('x')]))] };
  }
  const open = [string(curve), string(Buffer.concat([Buffer.of(4), bytes('x'), bytes('y')]))];
  return { type: `ecdsa-sha2-${curve}`, open, hidden: [...open, number('d')] };
}

/** The part that would be encrypted: two equal numbers that show whether it was decrypted, and padding to eight bytes. */
function padded(type: string, hidden: readonly Buffer[]): Buffer {
  const check = randomBytes(4);
  const content = Buffer.concat([check, check, string(type), ...hidden, string('')]);
  return Buffer.concat([content, Buffer.from(Array.from({ length: (8 - content.length % 8) % 8 }, (_, index) => index + 1))]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A positive number has no leading zeros, but one where its first bit would make it negative. */
function integer(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
  return string((digits[0] ?? 0) >= 128 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

function pem(content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
