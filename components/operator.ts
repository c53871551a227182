import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import { chartSource, definitionsOf, isLocal } from './chart.ts';
import type { Cluster } from './cluster.ts';
import { operatorCatalog, type OperatorName } from './operator-catalog.ts';
import { ownNamespace } from './own-namespace.ts';
import type { OperatorConfiguration } from '../config/schema.ts';

export interface OperatorArgs extends OperatorConfiguration {
  readonly cluster: Cluster;
  readonly operator: OperatorName;
  /** Whether its namespace is there before the program. */
  readonly givenNamespace: boolean;
}

/** An operator, installed by its chart in one cluster. Its definitions stay when it goes, other than cert-manager's before 1.15.0: others may have objects of them. */
export class Operator extends pulumi.ComponentResource {
  /** Known when everything of the chart is there and ready. */
  readonly release: k8s.helm.v3.Release;

  constructor(name: string, { cluster, operator, chart, version, namespace, givenNamespace: given, values }: OperatorArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:Operator', name, {}, { ...opts, provider: cluster.provider });

    const { release, chartVersion, values: own } = operatorCatalog[operator];
    const there = ownNamespace(name, { name: namespace, cluster: cluster.name, given }, { parent: this });
    const definitions = isLocal(chart) ? makeDefinitions(name, chart, this) : [];
    this.release = new k8s.helm.v3.Release(
      name,
      {
        name: release,
        namespace: there,
        ...chartSource(chart, chartVersion(version)),
        values: merged(own(version, namespace), values),
        skipCrds: definitions.length > 0,
        timeout: releaseSeconds,
      },
      { parent: this, dependsOn: definitions },
    );
    this.registerOutputs({ cluster: cluster.name, version: this.release.version });
  }
}

/** How long a chart's objects may take until they are ready. */
const releaseSeconds = 300;

/** Definitions as resources of their own, so that those of a new version are applied before its operator comes. */
function makeDefinitions(name: string, chart: string, parent: pulumi.Resource): pulumi.Resource[] {
  return definitionsOf(chart).map(
    ({ metadata, spec }) =>
      new k8s.apiextensions.v1.CustomResourceDefinition(
        `${name}-${metadata.name}`,
        {
          // Helm may have made it before.
          metadata: { ...metadata, annotations: { ...metadata.annotations, 'pulumi.com/patchForce': 'true' } },
          spec: spec as k8s.types.input.apiextensions.v1.CustomResourceDefinitionSpec,
        },
        { parent, retainOnDelete: true },
      ),
  );
}

type Values = Readonly<Record<string, unknown>>;

/** Values over others, key by key at every depth. */
function merged(own: Values, over: Values): Values {
  const both = Object.entries(over).map(([key, value]): [string, unknown] => [key, isValues(own[key]) && isValues(value) ? merged(own[key], value) : value]);
  return { ...own, ...Object.fromEntries(both) };
}

function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
