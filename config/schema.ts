import { z } from 'zod';

import { bridge } from './schema/bridge.ts';
import { kafka } from './schema/kafka.ts';
import { region } from './schema/region.ts';
import { gcp, generators, operators } from './schema/surroundings.ts';
import { tier1 } from './schema/tier1.ts';
import { tsb } from './schema/tsb.ts';
import { hostName, path } from './schema/values.ts';

/** The stack configuration: the one source of its types, defaults, rules and reference. */
export const configurationSchema = z.strictObject({
  hostname: hostName.describe('What clients call: http://<hostname>.'),
  kubeconfig: path
    .optional()
    .describe('Path of the kubeconfig file with the contexts below; relative to the program’s directory. Never taken from the environment. May be absent where no context needs it.'),
  kafka: kafka.describe('The Kafka cluster: one that exists (`existing`, and then no other key), or one that the program makes (all other keys).'),
  regions: z.array(region).min(2, 'two regions or more, or there is nothing to fail over to').describe('The regions, two or more.'),
  bridge: bridge.prefault({}).describe('What the bridges of all regions have in common.'),
  tsb: tsb.describe('Tetrate Service Bridge.'),
  tier1: tier1.describe('The gateway in front of all regions.'),
  operators: operators.prefault({}).describe('Operators that have to be in the clusters.'),
  generators: generators.optional().describe('A producer and two consumers as pods, to look at; absent: none.'),
  namespaces: z
    .enum(['made', 'given'])
    .default('made')
    .describe('made: the program makes each namespace that is named below, except where something that has to be there before lies in it, and destroy deletes it with everything in it; given: all of them are there before the program, each for this stack alone, and stay.'),
  checks: z.boolean().default(true).describe('Whether `up` ends with looking at brokers, bridges and sidecars, and through tier1.'),
  gcp: gcp.optional().describe('Google Cloud, used only where set.'),
});

/** A configuration whose values are right, with every default filled in, and with paths as they were written. */
export type ConfigurationAsWritten = z.output<typeof configurationSchema>;

/** What a file holds stands in the place of its path. */
type FilesRead<T> = T extends { file: string } ? never : T extends object ? { [K in keyof T]: FilesRead<T[K]> } : T;

/** The configuration after validation: defaults filled in, files read, and every `kubeconfig` an absolute path. */
export type Configuration = FilesRead<ConfigurationAsWritten>;
export type KafkaConfiguration = Configuration['kafka'];
export type InstalledKafka = Extract<KafkaConfiguration, { context: string }>;
export type ExistingKafka = Exclude<KafkaConfiguration, { context: string }>;
export type RegionConfiguration = Configuration['regions'][number];
export type BridgeConfiguration = Configuration['bridge'];
export type TsbConfiguration = Configuration['tsb'];
export type Tier1Configuration = Configuration['tier1'];
export type ServiceConfiguration = Tier1Configuration['service'];
export type OperatorConfiguration = Configuration['operators']['strimzi'];
export type GeneratorsConfiguration = NonNullable<Configuration['generators']>;
export type GcpConfiguration = NonNullable<Configuration['gcp']>;
