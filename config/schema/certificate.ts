import { z } from 'zod';

import { certificateText, issuer, objectName, secretKey, text } from './values.ts';

const leafDays = z.int().min(1).max(3_650).default(365).describe('Days that a listener’s certificate is good for.');

const hosts = z
  .array(z.string().max(253, 'at most 253 characters').regex(/^(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a lower-case host name, which may begin with *.'))
  .min(1, 'one host name or more')
  .optional()
  .describe('Host names of the certificate, instead of those that follow from the listeners, all of which they must cover.');

const ownRoot = z.strictObject({
  source: z.literal('own-root').optional().default('own-root').describe('A root of the program’s own, which clients trust and which outlives every renewal.'),
  rootDays: z.int().min(30).max(36_500).default(3_650).describe('Days that the root is good for.'),
  leafDays,
  hosts,
});

const byIssuer = z.strictObject({
  source: z.literal('issuer').describe('An issuer of cert-manager that exists. One of kind Issuer lies in Kafka’s namespace, which then exists as well and is left as it is.'),
  issuer: issuer.describe('The issuer.'),
  leafDays,
  hosts,
});

const bySecret = z.strictObject({
  source: z.literal('secret').describe('A Secret that exists in Kafka’s namespace, which then exists as well and is left as it is.'),
  secret: z
    .strictObject({
      name: objectName.describe('Name of the Secret.'),
      certificate: secretKey.default('tls.crt').describe('Its entry with the certificate chain.'),
      key: secretKey.default('tls.key').describe('Its entry with the private key, in PKCS#8.'),
    })
    .describe('The Secret.'),
  caCertificate: certificateText.describe('CA certificate that clients trust, or several: PEM text, or `{file: …}` with its path.'),
  hosts: hosts.describe('Host names of the certificate, where they are to be checked.'),
});

const selfSigned = z.strictObject({
  source: z.literal('self-signed').describe('A leaf that signs itself: every renewal takes the bridges’ trust away. Only with api v1beta2.'),
  organization: text.default('kafka').describe('Organization in its subject, which must not be empty.'),
  leafDays,
  hosts,
});

/** Where the certificate of Kafka's listeners comes from. */
export const certificate = z.discriminatedUnion('source', [ownRoot, byIssuer, bySecret, selfSigned]);
