import { checkBounds } from './checks/bounds.ts';
import { checkCertificateHosts, checkCertificateTexts } from './checks/certificates.ts';
import { checkDuplicates } from './checks/duplicates.ts';
import { checkKafka } from './checks/kafka.ts';
import { checkContexts, checkPlaces } from './checks/kubeconfigs.ts';
import { checkNames } from './checks/names.ts';
import { checkServices } from './checks/services.ts';
import { checkSettings } from './checks/settings.ts';
import { checkTier1 } from './checks/tier1.ts';
import { checkTsb } from './checks/tsb.ts';
import { checkVersions } from './checks/versions.ts';
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
  return [
    ...checkPlaces(configuration, asRecord(raw), directory),
    ...(contexts === 'checked' ? checkContexts(configuration, directory) : []),
    ...[checkDuplicates, checkNames, checkKafka, checkSettings, checkCertificateHosts, checkVersions, checkBounds, checkServices, checkTier1, checkTsb].flatMap((check) => check(configuration)),
    ...checkCertificateTexts(raw, directory),
  ];
}
