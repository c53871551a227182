import { createHash, createPublicKey, generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { openSsh } from './openssh.ts';
import type { ResourceType } from './stand-in.ts';
import { secret } from './values.ts';
import type { Bag } from './values.ts';

const generate = promisify(generateKeyPair);

/** The official plugin's names of curves, and OpenSSL's. */
const curves = { P224: 'secp224r1', P256: 'prime256v1', P384: 'secp384r1', P521: 'secp521r1' } as const;

const inputs = {
  algorithm: z.enum(['RSA', 'ECDSA', 'ED25519']),
  rsaBits: z.number().int().min(1024).max(16_384).default(2048),
  ecdsaCurve: z.enum(['P224', 'P256', 'P384', 'P521']).default('P224'),
};
const Inputs = z.object(inputs);

/** A key that lives in the state alone; its private forms are secrets there. */
export const privateKey: ResourceType = {
  inputs,
  replaceOn: Object.keys(inputs),
  async create(task) {
    const key = await newKey(Inputs.parse(task.inputs));
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
    return { id: createHash('sha1').update(spki).digest('hex'), outputs: outputs(key) };
  },
};

async function newKey({ algorithm, rsaBits, ecdsaCurve }: z.infer<typeof Inputs>): Promise<KeyObject> {
  if (algorithm === 'RSA') return (await generate('rsa', { modulusLength: rsaBits })).privateKey;
  if (algorithm === 'ECDSA') return (await generate('ec', { namedCurve: curves[ecdsaCurve] })).privateKey;
  return (await generate('ed25519', {})).privateKey;
}

function outputs(key: KeyObject): Bag {
  const ssh = openSsh(key);
  return {
    privateKeyPem: secret(key.export({ format: 'pem', type: usualType(key) })),
    privateKeyPemPkcs8: secret(key.export({ format: 'pem', type: 'pkcs8' })),
    privateKeyOpenssh: secret(ssh.privateKey),
    publicKeyPem: createPublicKey(key).export({ format: 'pem', type: 'spki' }),
    publicKeyOpenssh: ssh.publicKey,
    publicKeyFingerprintMd5: ssh.md5,
    publicKeyFingerprintSha256: ssh.sha256,
  };
}

function usualType(key: KeyObject): 'pkcs1' | 'sec1' | 'pkcs8' {
  return key.asymmetricKeyType === 'rsa' ? 'pkcs1' : key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs8';
}
