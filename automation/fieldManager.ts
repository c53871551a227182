import type { ResourceState, StackState } from './stackState.ts';

/**
 * As whom the provider applies an object, as long as nobody knows the name that a killed process had. It draws one for each object, which the state alone keeps, and
 * leaves in the state what it finds there.
 */
export const unknownManager = 'pulumi-kubernetes-unknown';

/** Whether it was entered with an unknown manager, and not named since. */
export function hasUnknownManager({ outputs }: ResourceState): boolean {
  return managerIn(outputs) === unknownManager;
}

/**
 * Names the managers that the live objects of a state have: to Server-Side Apply their fields are that manager's, and under any other name the next change of one is a
 * conflict. Without one the object is not of this stack's making, and the provider draws a name for it. Answers whether there were any to name.
 */
export function nameManagers({ resources = [] }: StackState): boolean {
  const looked = resources.filter(hasUnknownManager);
  for (const { outputs } of looked) {
    const live = outputs as Live;
    const others = new Set(resources.map((resource) => managerIn(resource.outputs)));
    const manager = latest(live.metadata?.managedFields ?? [], (name) => !others.has(name));
    if (manager === undefined) delete live.__fieldManager;
    else live.__fieldManager = manager;
  }
  return looked.length > 0;
}

interface ManagedFields { readonly manager?: string; readonly operation?: string; readonly time?: string }

interface Live {
  __fieldManager?: unknown;
  metadata?: { managedFields?: ManagedFields[] };
}

function managerIn(outputs: object | undefined): unknown {
  return (outputs as Live | undefined)?.__fieldManager;
}

/** Another stack of Pulumi may have labelled the same namespace before. */
function latest(fields: readonly ManagedFields[], isOurs: (manager: string) => boolean): string | undefined {
  const applied = fields.filter(({ manager = '', operation }) => operation === 'Apply' && manager.startsWith('pulumi-kubernetes-') && isOurs(manager));
  return applied.sort((a, b) => (a.time ?? '').localeCompare(b.time ?? '')).at(-1)?.manager;
}
