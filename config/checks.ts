import { aliasRules, checkClusters } from './checks/aliases.ts';
import { boundRules, checkBounds } from './checks/bounds.ts';
import { certificateRules, checkCertificateHosts, checkCertificateTexts } from './checks/certificates.ts';
import { chartRules, checkCharts } from './checks/charts.ts';
import { checkDuplicates, duplicateRules } from './checks/duplicates.ts';
import { checkKafka, kafkaRules } from './checks/kafka.ts';
import { checkContexts, checkPlaces, contextReader, contextRules } from './checks/kubeconfigs.ts';
import { checkNames, nameRules } from './checks/names.ts';
import { checkSecretNames, secretRules } from './checks/secrets.ts';
import { checkServices, serviceRules } from './checks/services.ts';
import { checkSettings, settingRules } from './checks/settings.ts';
import { checkTier1, tier1Rules } from './checks/tier1.ts';
import { checkTsb, tsbRules } from './checks/tsb.ts';
import { checkEffects, checkVersions, versionRules } from './checks/versions.ts';
import type { Finding } from './problems.ts';
import type { Readable } from './readable.ts';
import { asRecord } from './text.ts';

/** Where a configuration is read. */
export interface Surroundings {
  /** Where relative paths begin. */
  readonly directory: string;
  /** `unchecked` where no cluster is contacted, and its kubeconfig need not be there. */
  readonly contexts: 'checked' | 'unchecked';
}

/** What no single value can say of itself: every problem between the values of a configuration, and of files that it names. */
export function checkAcross(configuration: Readable, raw: unknown, { directory, contexts }: Surroundings): Finding[] {
  const contextsOf = contextReader(directory);
  return [
    ...checkPlaces(configuration, asRecord(raw), directory),
    ...(contexts === 'checked' ? [...checkContexts(configuration, contextsOf), ...checkClusters(configuration, contextsOf)] : checkDuplicates(configuration)),
    ...[checkNames, checkKafka, checkSettings, checkCertificateHosts, checkVersions, checkEffects, checkBounds, checkServices, checkTier1, checkTsb, checkSecretNames].flatMap((check) => check(configuration, raw)),
    ...checkCertificateTexts(raw, directory),
    ...checkCharts(configuration, directory),
  ];
}

/** What is checked, for people, by subject. */
export const rules: Readonly<Record<string, readonly string[]>> = {
  Clusters: [...contextRules, ...aliasRules],
  'One of each': duplicateRules,
  'Composed names': nameRules,
  Kafka: [...kafkaRules, ...settingRules],
  Certificates: certificateRules,
  Operators: [...versionRules, ...chartRules],
  Times: boundRules,
  'Gateways and TSB': [...tier1Rules, ...tsbRules, ...serviceRules],
  Secrets: secretRules,
};
