import { z } from 'zod';

/**
 * The stack configuration: the one source of its types, defaults and rules.
 * Every custom `error` text says what is allowed; `problems.ts` adds the path and what was found.
 */
const dnsLabel = z
  .string()
  .max(63, 'at most 63 characters')
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'lower-case letters, digits and hyphens, beginning and ending with a letter or digit');

const hostName = z
  .string()
  .max(253, 'at most 253 characters')
  .regex(
    /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'a lower-case host name without scheme, port or path, such as kafka-bridge.example',
  );

const text = z.string().min(1, 'a name that is not empty');

const milliseconds = z.int().min(1).max(600_000);

const quantity = z.string().regex(/^[1-9]\d*(Ki|Mi|Gi|Ti|k|M|G|T)?$/, 'a Kubernetes quantity, such as 10Gi');

const kafka = z.strictObject({
  /** kubeconfig context of the cluster that runs the brokers. */
  context: text,
  namespace: dnsLabel.default('kafka-cluster'),
  /** Name of the Kafka resource. */
  name: dnsLabel.default('kafka'),
  /** Domain of the names that brokers advertise: bootstrap.<domain> and broker-<id>.<domain>. */
  domain: hostName,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'a version of three numbers, such as 4.3.1').default('4.3.1'),
  /** Three at least: every record is on three brokers and acknowledged by two. */
  brokers: z.int().min(3).max(99).default(3),
  storage: z.strictObject({ size: quantity.default('10Gi'), class: dnsLabel.optional() }).prefault({}),
  /** The TLS listener that other clusters come in by. */
  listener: z
    .strictObject({
      name: z.string().regex(/^[a-z0-9]{1,11}$/, '1 to 11 lower-case letters and digits').default('external'),
      port: z
        .int()
        .min(9092)
        .max(65_535)
        .refine((port) => port !== 9404 && port !== 9999, 'a port that Strimzi does not use itself (9404, 9999)')
        .default(9094),
    })
    .prefault({}),
});

const region = z.strictObject({
  /** Names everything of the region, and its own host name: <name>.<hostname>. */
  name: dnsLabel,
  context: text,
  /** What TSB calls this cluster. */
  tsbCluster: dnsLabel,
  /** Where the cluster's nodes are, as their labels topology.kubernetes.io/region and /zone say. */
  locality: z.strictObject({ region: text, zone: text.optional() }).optional(),
  /** Bridges in this region. */
  replicas: z.int().min(1).max(100).default(1),
});

const bridge = z.strictObject({
  /** How long a bridge tries to hand one record to Kafka. All of them together stay below `timeouts.perTryMs`. */
  producer: z
    .strictObject({
      maxBlockMs: milliseconds.default(3_000),
      requestTimeoutMs: milliseconds.default(3_000),
      deliveryTimeoutMs: milliseconds.default(8_000),
    })
    .prefault({}),
  /** A killed bridge's members leave their group after `sessionTimeoutMs`; consumers without a request for `idleTimeoutSeconds` go. */
  consumer: z
    .strictObject({
      sessionTimeoutMs: milliseconds.min(6_000).default(6_000),
      heartbeatIntervalMs: milliseconds.default(2_000),
      idleTimeoutSeconds: z.int().min(10).max(86_400).default(60),
    })
    .prefault({}),
  /** Polls, commits and produces share this many threads: more than run at once, or long polls hold up produces. */
  executorThreads: z.int().min(4).max(1_000).default(32),
  /** Of the gateways: one try, a whole request, and a request to a consumer (which may be a long poll). */
  timeouts: z
    .strictObject({
      perTryMs: milliseconds.default(12_000),
      routeMs: milliseconds.default(15_000),
      consumersMs: milliseconds.default(30_000),
    })
    .prefault({}),
});

const tsb = z.strictObject({
  /** kubeconfig context of the cluster whose GitOps takes the tenant, workspaces and groups. */
  context: text,
  organization: dnsLabel,
  tenant: dnsLabel,
  /**
   * How TSB says in an object's status that it took it, as `pulumi.com/waitFor` has it (`jsonpath={.status.…}=…`).
   * Absent: nothing is awaited, as with GitOps push mode SYNC, which refuses a wrong object when it is applied.
   */
  acceptedWhen: z
    .string()
    .regex(/^(jsonpath=\{.+\}(=.+)?|condition=.+)$/, 'condition=Name or jsonpath={.path}=value')
    .optional(),
});

const tier1 = z.strictObject({
  context: text,
  /** What TSB calls the cluster of tier1. */
  tsbCluster: dnsLabel,
  namespace: dnsLabel.default('edge'),
  /** failover: no weights, so that outlier detection and locality may move requests between regions. */
  mode: z.enum(['failover']).default('failover'),
});

export const configurationSchema = z.strictObject({
  /** What clients call: http://<hostname>. */
  hostname: hostName,
  /** Path of the kubeconfig file that has every context below; relative to the program's directory. Never taken from the environment. */
  kubeconfig: text,
  kafka,
  regions: z.array(region).min(2, 'two regions or more, or there is nothing to fail over to'),
  bridge: bridge.prefault({}),
  tsb,
  tier1,
});

/** The configuration after validation, with every default filled in. */
export type Configuration = z.output<typeof configurationSchema>;
export type KafkaConfiguration = Configuration['kafka'];
export type RegionConfiguration = Configuration['regions'][number];
export type BridgeConfiguration = Configuration['bridge'];
