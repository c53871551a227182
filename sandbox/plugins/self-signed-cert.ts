import { createPrivateKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { allowedUses, selfSigned, signing, subjectFields } from './certificate.ts';
import type { ResourceType } from './stand-in.ts';
import { secret } from './values.ts';
import type { Bag } from './values.ts';

const hourMs = 3_600_000;
const algorithms: Readonly<Record<string, string>> = { rsa: 'RSA', ec: 'ECDSA', ed25519: 'ED25519' };
const names = z.array(z.string().min(1)).optional();

const inputs = {
  privateKeyPem: z.string().refine((pem) => keyOf(pem) !== undefined, {
    error: 'is no private key in PEM (PKCS#1, SEC 1 or PKCS#8, not encrypted) of RSA, Ed25519 or the curves P256, P384 and P521',
  }),
  validityPeriodHours: z.number().int().min(0),
  allowedUses: z.array(z.enum(allowedUses)),
  subject: z.strictObject(Object.fromEntries(subjectFields.map((field) => [field, field === 'streetAddresses' ? names : z.string().optional()]))).optional(),
  dnsNames: names,
  ipAddresses: z.array(z.string().refine((address) => isIP(address) !== 0, { error: 'is no IP address' })).optional(),
  uris: z.array(z.string().refine((uri) => URL.canParse(uri), { error: 'is no URI' })).optional(),
  earlyRenewalHours: z.number().int().min(0).default(0),
  isCaCertificate: z.boolean().default(false),
  maxPathLength: z.number().int().min(-1).optional(),
  setSubjectKeyId: z.boolean().default(false),
  setAuthorityKeyId: z.boolean().default(false),
};
const Inputs = z.object(inputs);

/** Computed from the inputs, once: an update keeps them. */
const Issued = z.object({ certPem: z.string(), keyAlgorithm: z.string(), validityStartTime: z.string(), validityEndTime: z.string() });

/** A certificate that lives in the state alone. It is issued anew by the first `up` after the time for its renewal has come. */
export const selfSignedCert: ResourceType = {
  inputs,
  replaceOn: Object.keys(inputs).filter((name) => name !== 'earlyRenewalHours'),
  outdated: (state) => isDue(state) ? ['readyForRenewal'] : [],
  async create(task) {
    const wanted = Inputs.parse(task.inputs);
    if (wanted.isCaCertificate && Object.keys(wanted.subject ?? {}).length === 0) throw new Error('subject: a certificate authority must have one');
    if (wanted.setAuthorityKeyId && !wanted.isCaCertificate && !wanted.setSubjectKeyId) throw new Error('setAuthorityKeyId: there is none without setSubjectKeyId');
    const key = createPrivateKey(wanted.privateKeyPem);
    const now = new Date();
    const end = new Date(now.getTime() + wanted.validityPeriodHours * hourMs);
    // Positive, as RFC 5280 wants it.
    const serialNumber = `0${randomBytes(16).toString('hex').slice(1)}`;
    const { maxPathLength = -1, subject = {}, dnsNames = [], ipAddresses = [], uris = [] } = wanted;
    const issued: z.infer<typeof Issued> = {
      certPem: await selfSigned({
        ...wanted, key, notBefore: now, notAfter: end, serialNumber, dnsNames, ipAddresses, uris,
        subject: Object.fromEntries(Object.entries(subject).flatMap(([field, value]) => value === undefined ? [] : [[field, value]])),
        maxPathLength: maxPathLength < 0 ? undefined : maxPathLength,
      }),
      keyAlgorithm: algorithms[key.asymmetricKeyType ?? ''] ?? '',
      validityStartTime: now.toISOString(), validityEndTime: end.toISOString(),
    };
    return { id: BigInt(`0x${serialNumber}`).toString(), outputs: outputs(task.inputs, issued) };
  },
  update: (task, state) => Promise.resolve(outputs(task.inputs, Issued.parse(state))),
  refresh: (state) => ({ readyForRenewal: isDue(state) }),
};

function outputs(given: Bag, issued: z.infer<typeof Issued>): Bag {
  return { ...issued, privateKeyPem: secret(given['privateKeyPem']), readyForRenewal: isDue({ ...given, ...issued }) };
}

function isDue({ validityEndTime, earlyRenewalHours }: Bag): boolean {
  if (typeof validityEndTime !== 'string') return false;
  return Date.parse(validityEndTime) - Number(earlyRenewalHours ?? 0) * hourMs <= Date.now();
}

/** Undefined for anything that nothing can be signed with. */
function keyOf(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return signing(key) === undefined ? undefined : key;
  } catch {
    return undefined;
  }
}
