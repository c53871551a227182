import { BlockList, isIP } from 'node:net';

import { z } from 'zod';

import { canonicalAddress } from '../canonical-address.ts';
import { amountOf } from '../quantity.ts';

/**
 * Kinds of values that several concerns have. Every custom text says what is allowed; `problems.ts` adds the path and what was found.
 */

export const dnsLabel = z
  .string()
  .max(63, 'at most 63 characters')
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'a lower-case name of letters, digits and inner hyphens');

function letterFirst(whose: string) {
  return z
    .string()
    .max(63, 'at most 63 characters')
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, `a lower-case name of letters, digits and inner hyphens that begins with a letter, as those of ${whose} do`);
}

/** Name by which Services are called, which begin with a letter. */
export const serviceName = letterFirst('Services');

/** Name of what Google Cloud has: an address, a managed zone. */
export const googleName = letterFirst('Google Cloud');

/** Name of an object whose kind allows dots: Secrets, issuers. */
export const objectName = z
  .string()
  .max(253, 'at most 253 characters')
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, 'a lower-case name of letters, digits, inner hyphens and dots');

export const hostName = z
  .string()
  .max(253, 'at most 253 characters')
  .regex(
    /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'a lower-case host name without scheme, port or path, such as kafka-bridge.example',
  )
  .regex(/[a-z][-a-z0-9]*$/, 'a host name, whose last part is no number as that of an IP address is');

export const text = z.string().min(1, 'text that is not empty');

export const path = z.string().min(1, 'a path');

/** Key of an entry in a Secret. */
export const secretKey = z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/, 'the key of an entry in a Secret, such as tls.crt');

export const milliseconds = z.int().min(1).max(600_000);

export const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'a version of three numbers, such as 4.3.1');

/** An amount of bytes. So few that a unit was forgotten are no size of anything here. */
export const quantity = z
  .string()
  .regex(/^(\d+(\.\d+)?|\.\d+)([KMGTPE]i|[kMGTPE]|e\d+)?$/, 'a Kubernetes quantity, such as 10Gi')
  .refine((given) => !(amountOf(given) < 2 ** 20), { error: ({ input }) => `1Mi or more, with its unit: this is ${amountOf(String(input))} bytes` });

/** The size of a volume. Strimzi fails at `k`, also where it is Kubernetes that writes it: a decimal amount gets the largest unit there that leaves no fraction. */
export const volumeSize = quantity.refine((given) => !isInThousands(given), { error: ({ input }) => `a size such as 10Gi: Strimzi cannot read k${String(input).endsWith('k') ? '' : `, and Kubernetes writes this one as ${Math.round(amountOf(String(input)) / 1e3)}k`}` });

function isInThousands(size: string): boolean {
  const bytes = Math.round(amountOf(size));
  return size.endsWith('k') || (/^[\d.]+[MGTPE]?$/.test(size) && bytes % 1e3 === 0 && bytes % 1e6 !== 0);
}

const cpu = z.string().regex(/^([1-9]\d*m|\d+(\.\d{1,3})?)$/, 'an amount of CPUs in quotes, such as "500m" or "2"');

/** What Kubernetes calls a qualified name. */
const qualifiedName = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;

/** Keys as Kubernetes takes them. */
export const annotations = z.record(
  z
    .string()
    .max(317, 'a key of at most 317 characters')
    .regex(qualifiedName, 'a key of at most 63 letters, digits, inner hyphens, underscores and dots, which may have a domain and a slash before it'),
  z.string(),
);

/** Class of a load balancer. */
export const balancerClass = z.string().max(317).regex(qualifiedName);

/** A topic that the program makes or that generators use. */
export const topicName = z
  .string()
  .regex(/^(?!\.{1,2}$)[-._a-zA-Z0-9]{1,249}$/, 'at most 249 letters, digits, dots, hyphens and underscores')
  .regex(/^(?!__)/, 'a name that does not begin with two underscores, as those of Kafka’s own topics do');

/** Settings of Kafka or of its clients, by Kafka's own names. */
export const kafkaSettings = z.record(
  z.string().regex(/^[a-zA-Z0-9][-._a-zA-Z0-9]*$/, 'a name of Kafka’s, such as retention.ms'),
  z.union([z.string().regex(/^\P{Cc}*$/u, 'text of one line, without control characters'), z.number(), z.boolean()], { error: 'text, a number, true or false' }),
);

const amounts = z.strictObject({
  cpu: cpu.optional().describe('CPUs, such as "500m" or "2".'),
  memory: quantity.optional().describe('Memory, such as 512Mi.'),
});

export const resources = z.strictObject({
  requests: amounts.optional().describe('What is kept free for each pod.'),
  limits: amounts.optional().describe('What each pod gets at most.'),
});

/** Where a cluster is found; part of every concern that lives in one. */
export const place = {
  context: text.describe('kubeconfig context of the cluster, or its key in `gcp.clusters`.'),
  kubeconfig: path.optional().describe('kubeconfig file of this one cluster; absent: the common one, or GKE’s where `gcp.clusters` has the context.'),
};

/** A CA certificate, as text or as a file that is read with the configuration. */
export const certificateText = z.union([
  z.string().regex(/^\s*-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/, 'a certificate as PEM (the path of one is written {file: ca.crt})'),
  z.strictObject({ file: path.describe('Path of a PEM file; relative to the program’s directory.') }),
]);

export const issuer = z.strictObject({
  name: objectName.describe('Name of the issuer.'),
  kind: z.enum(['Issuer', 'ClusterIssuer']).describe('An Issuer lies in the namespace of what it issues for.'),
});

/** A TSB object that the program makes, or one that exists, by name. */
export const ownOrExisting = z
  .union([dnsLabel, z.strictObject({ existing: dnsLabel.describe('Name of one that exists, which the program leaves as it is.') })])
  .transform((given) => (typeof given === 'string' ? { name: given, existing: false } : { name: given.existing, existing: true }));

/** Addresses that mean the machine itself, no machine at all, or many. */
const nowhere = new BlockList();
for (const [network, bits] of [['0.0.0.0', 8], ['127.0.0.0', 8], ['169.254.0.0', 16], ['224.0.0.0', 3]] as const) nowhere.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [['::', 127], ['fe80::', 10], ['ff00::', 8]] as const) nowhere.addSubnet(network, bits, 'ipv6');

function isReachable(address: string): boolean {
  const version = isIP(address);
  return version === 0 || !nowhere.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** The Service of a gateway. */
export const service = z.strictObject({
  type: z.enum(['LoadBalancer', 'NodePort', 'ClusterIP']).default('LoadBalancer').describe('Type of the Service.'),
  annotations: annotations.default({}).describe('Annotations of the Service, as the cloud’s load balancer reads them.'),
  address: z
    .string()
    .refine((address) => isIP(address) > 0 || hostName.safeParse(address).success, 'an IP address or a host name')
    .refine((address) => !address.includes('%'), { error: 'an address without a zone (%), which means a link of one machine and nothing to others', abort: true })
    .refine(isReachable, 'an address that other machines reach: not one of the machine itself (loopback), of its link, of many, or of nobody')
    // It is compared with what others write.
    .overwrite(canonicalAddress)
    .optional()
    .describe('A fixed IP address of the load balancer, reserved before; with another type the IP address or host name of what stands in front of it, as TSB and clients are told; of tier1 it is also what ExternalDNS publishes (`tier1.dns`).'),
  internal: z.enum(['gke', 'aws', 'azure']).optional().describe('An internal load balancer, in the words of this cloud; absent: the cloud’s default.'),
});
