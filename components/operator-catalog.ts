import type { Configuration } from '../config/schema.ts';
import { compareVersions } from '../config/versions.ts';

export type OperatorName = keyof Configuration['operators'];

/** What is known of an operator, whoever installed it. */
export interface KnownOperator {
  readonly title: string;
  /** Of its resources. */
  readonly group: string;
  /** Its Deployment, where it was installed by its chart. */
  readonly deployment: string;
  /** Helm's release, which its objects are called after. */
  readonly release: string;
  /** Values of its chart, of this version, without which this program has no use for it, or some cluster does not take it into that namespace. */
  readonly values: (version: string, namespace: string) => Readonly<Record<string, unknown>>;
  /** How its chart's versions are written. */
  readonly chartVersion: (version: string) => string;
}

export const operatorCatalog: Readonly<Record<OperatorName, KnownOperator>> = {
  strimzi: {
    title: 'Strimzi',
    group: 'kafka.strimzi.io',
    deployment: 'strimzi-cluster-operator',
    release: 'strimzi',
    // Its chart makes rights in each namespace that it is to watch, so that those would have to be there before it.
    values: () => ({ watchAnyNamespace: true }),
    chartVersion: (version) => version,
  },
  certManager: {
    title: 'cert-manager',
    group: 'cert-manager.io',
    deployment: 'cert-manager',
    release: 'cert-manager',
    values: (version, namespace) => ({
      // By either its definitions come with it; from 1.15.0 on the chart has a new value for it.
      ...(compareVersions(version, '1.15.0') < 0 ? { installCRDs: true } : { crds: { enabled: true } }),
      // The chart would make Roles for it in kube-system, where GKE Autopilot lets nobody write (cert-manager#3713).
      global: { leaderElection: { namespace } },
    }),
    chartVersion: (version) => `v${version}`,
  },
};
