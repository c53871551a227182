import { controlPlaneKind, installKinds, kinds } from './kinds.ts';
import type { Kind } from './kinds.ts';
import { schemas } from './schemas.ts';

/**
 * Definitions of TSB's custom resources, written from the fields that its documentation names: Tetrate's own are not public. Fields that
 * are written down are typed and required where they are; others are kept as they come.
 */
export function tsbDefinitions(): object[] {
  return [...kinds, ...installKinds, controlPlaneKind].map(definition);
}

function definition({ apiVersion, kind, plural, parents }: Kind): object {
  const [group = '', version] = apiVersion.split('/');
  return {
    apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group, scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{
        name: version, served: true, storage: true, subresources: { status: {} },
        additionalPrinterColumns: columns(parents),
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: schemas[`${group}/${kind}`] ?? open, status } } },
      }],
    },
  };
}

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const status = {
  ...open,
  properties: {
    state: { type: 'string' }, message: { type: 'string' }, observedGeneration: { type: 'integer' },
    warnings: { type: 'array', items: { type: 'string' } },
  },
};

/** What `kubectl get` shows: where the object belongs, and whether it took. */
function columns(parents: Kind['parents']): object[] {
  const shown = parents.filter((parent) => parent !== 'organization').map((parent) => ({
    name: parent, type: 'string', jsonPath: `.metadata.annotations['tsb\\.tetrate\\.io/${parent}']`,
  }));
  return [...shown, { name: 'state', type: 'string', jsonPath: '.status.state' }, { name: 'age', type: 'date', jsonPath: '.metadata.creationTimestamp' }];
}
