import { isLocal } from '../../components/chart.ts';
import { operatorCatalog } from '../../components/operator-catalog.ts';
import { operatorIn } from '../../config/operator-place.ts';
import { asRecord } from '../../config/text.ts';
import type { Plurals } from './apis.ts';
import type { Finding } from './finding.ts';
import { everyCluster, type Look, objectsIn } from './look.ts';

interface Definition {
  readonly spec: { readonly versions: readonly { readonly name: string; readonly schema?: { readonly openAPIV3Schema?: Schema } }[] };
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

const { group, title } = operatorCatalog.strimzi;

/**
 * Whether Strimzi's definitions know every field that is written. Helm leaves them as they are when it raises an operator, they say their release
 * nowhere, and an API server drops what they do not know without a word.
 */
export async function judgeFields(look: Look, plurals: Plurals): Promise<readonly Finding[]> {
  const { strimzi } = look.configuration.operators;
  return await everyCluster('fields', look, async (api, check) => {
    // Then `up` itself brings them.
    if (operatorIn(strimzi, api.context).install && isLocal(strimzi.chart)) return [];
    const objects = objectsIn(look, api.context).filter((object) => object.group === group);
    const known = plurals.get(api.context) ?? new Map<string, string>();
    const names = [...new Set(objects.flatMap(({ content, kind }) => known.get(`${String(content['apiVersion'])} ${kind}`) ?? []))];
    const read = await Promise.all(names.map(async (name) => [name, await api.find<Definition>(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}.${group}`)] as const));
    const definitions = new Map(read);
    const dropped = objects.flatMap(({ content, kind }) => {
      const name = known.get(`${String(content['apiVersion'])} ${kind}`) ?? '';
      const version = definitions.get(name)?.spec.versions.find((each) => `${group}/${each.name}` === content['apiVersion']);
      const schema = version?.schema?.openAPIV3Schema?.properties?.['spec'];
      return schema === undefined ? [] : unknownFields(content['spec'], schema, 'spec').map((path) => `${kind} ${path}`);
    });
    if (dropped.length > 0) return check.fault(`${title}'s definitions do not know ${[...new Set(dropped)].join(', ')}, which would be dropped`, { remedy: `Apply the definitions of ${title}'s release: Helm neither adds nor changes them in an upgrade.` });
    return read.some(([, definition]) => definition !== undefined) ? check.ok(`${title}'s definitions know all that is written`) : [];
  });
}

/** Paths of what a schema does not have; below one that takes everything nothing is looked at. */
export function unknownFields(value: unknown, schema: Schema, path: string): string[] {
  if (Array.isArray(value)) return schema.items === undefined ? [] : value.flatMap((each) => unknownFields(each, schema.items as Schema, path));
  if (typeof value !== 'object' || value === null || schema.properties === undefined || schema['x-kubernetes-preserve-unknown-fields'] === true) return [];
  const { properties } = schema;
  return Object.entries(asRecord(value)).flatMap(([key, each]) => (properties[key] === undefined ? [`${path}.${key}`] : unknownFields(each, properties[key], `${path}.${key}`)));
}
