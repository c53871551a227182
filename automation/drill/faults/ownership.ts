import type { ManagedFields } from '../kubernetes.ts';

/** Who held a field, as far as it takes to give it back. */
export type Owner = Pick<ManagedFields, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

/** The managers that hold `.spec.replicas`. */
export function replicasOwners(managedFields: readonly ManagedFields[]): Owner[] {
  return managedFields.filter((entry) => entry.fieldsV1?.['f:spec']?.['f:replicas'] !== undefined)
    .map(({ manager, operation, apiVersion, subresource }) => ({
      ...(manager === undefined ? {} : { manager }), ...(operation === undefined ? {} : { operation }),
      ...(apiVersion === undefined ? {} : { apiVersion }), ...(subresource === undefined ? {} : { subresource }),
    }));
}

/**
 * The ownership with `.spec.replicas` taken from `drill` and given back to `owners`; undefined when it is so already. Scaling took it from
 * whoever applied the object (Pulumi), who would find it in another's hands at the next change.
 */
export function returnReplicas(managedFields: readonly ManagedFields[], drill: string, owners: readonly Owner[]): ManagedFields[] | undefined {
  const entries = structuredClone(managedFields) as ManagedFields[];
  const returned = entries.map((entry) => (entry.manager === drill ? withoutReplicas(entry) : entry)).filter((entry) => entry !== undefined);
  for (const owner of owners) {
    if (owner.manager === drill) continue;
    const entry = returned.find((candidate) => isOwner(candidate, owner));
    if (entry === undefined) returned.push({ ...owner, time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'), fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } });
    else addReplicas(entry);
  }
  return JSON.stringify(returned) === JSON.stringify(managedFields) ? undefined : returned;
}

function withoutReplicas(entry: ManagedFields): ManagedFields | undefined {
  const { 'f:spec': spec = {}, ...fields } = entry.fieldsV1 ?? {};
  const rest = Object.entries(spec).filter(([field]) => field !== 'f:replicas');
  // `.` says that the manager holds the empty object itself, which is nothing once its one field is gone.
  const left = rest.some(([field]) => field !== '.') ? { ...fields, 'f:spec': Object.fromEntries(rest) } : fields;
  return Object.keys(left).length === 0 ? undefined : { ...entry, fieldsV1: left };
}

function addReplicas(entry: ManagedFields): void {
  const fields = (entry.fieldsV1 ??= {});
  const spec = (fields['f:spec'] ??= {});
  spec['f:replicas'] ??= {};
}

function isOwner(entry: ManagedFields, owner: Owner): boolean {
  return entry.manager === owner.manager && entry.operation === owner.operation && entry.apiVersion === owner.apiVersion && entry.subresource === owner.subresource;
}
