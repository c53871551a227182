import type { ManagedFields } from '../kubernetes.ts';

/** Who held a field, as far as it takes to give it back. */
export type Owner = Pick<ManagedFields, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

/** The managers that hold a field of the spec, like `replicas`. */
export function ownersOf(managedFields: readonly ManagedFields[], field: string): Owner[] {
  return managedFields.filter((entry) => entry.fieldsV1?.['f:spec']?.[`f:${field}`] !== undefined)
    .map(({ manager, operation, apiVersion, subresource }) => ({
      ...(manager === undefined ? {} : { manager }), ...(operation === undefined ? {} : { operation }),
      ...(apiVersion === undefined ? {} : { apiVersion }), ...(subresource === undefined ? {} : { subresource }),
    }));
}

/**
 * The ownership with a field of the spec taken from `drill` and given back to `owners`; undefined when it is so already. Scaling took it from
 * whoever applied the object (Pulumi), who would find it in another's hands at the next change.
 */
export function returnField(managedFields: readonly ManagedFields[], field: string, { drill, owners }: { drill: string; owners: readonly Owner[] }): ManagedFields[] | undefined {
  const entries = structuredClone(managedFields) as ManagedFields[];
  const returned = entries.map((entry) => (entry.manager === drill ? without(entry, `f:${field}`) : entry)).filter((entry) => entry !== undefined);
  for (const owner of owners) {
    if (owner.manager === drill) continue;
    const entry = returned.find((candidate) => isOwner(candidate, owner));
    if (entry === undefined) returned.push({ ...owner, time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'), fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { [`f:${field}`]: {} } } });
    else add(entry, `f:${field}`);
  }
  return JSON.stringify(returned) === JSON.stringify(managedFields) ? undefined : returned;
}

function without(entry: ManagedFields, field: string): ManagedFields | undefined {
  const { 'f:spec': spec = {}, ...fields } = entry.fieldsV1 ?? {};
  const rest = Object.entries(spec).filter(([name]) => name !== field);
  // `.` says that the manager holds the empty object itself, which is nothing once its one field is gone.
  const left = rest.some(([name]) => name !== '.') ? { ...fields, 'f:spec': Object.fromEntries(rest) } : fields;
  return Object.keys(left).length === 0 ? undefined : { ...entry, fieldsV1: left };
}

function add(entry: ManagedFields, field: string): void {
  const fields = (entry.fieldsV1 ??= {});
  const spec = (fields['f:spec'] ??= {});
  spec[field] ??= {};
}

function isOwner(entry: ManagedFields, owner: Owner): boolean {
  return entry.manager === owner.manager && entry.operation === owner.operation && entry.apiVersion === owner.apiVersion && entry.subresource === owner.subresource;
}
