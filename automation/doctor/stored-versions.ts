import { operatorCatalog } from '../../components/operator-catalog.ts';
import { convertFirst, definitionName, type StoredDefinition, storedOtherwise } from '../../components/operator-definitions.ts';
import { operatorIn } from '../../config/operator-place.ts';
import type { Finding } from './finding.ts';
import { everyCluster, type Look, objectsIn } from './look.ts';

const { group, title } = operatorCatalog.strimzi;

/** Whether Strimzi's definitions can be replaced by those of the release that is wanted. Somebody else's may stay as they are, until they are raised. */
export async function judgeStoredVersions(look: Look): Promise<readonly Finding[]> {
  const { strimzi } = look.configuration.operators;
  return await everyCluster('definitions', look, async (api, check) => {
    const kinds = objectsIn(look, api.context).filter((object) => object.group === group).map(({ kind }) => kind);
    const stored = await Promise.all([...new Set(kinds)].sort().map(async (kind) => {
      const name = definitionName(kind, group);
      return { name, versions: storedOtherwise(strimzi.version, await api.find<StoredDefinition>(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`)) };
    }));
    const lacking = stored.filter(({ versions }) => versions.length > 0);
    if (lacking.length === 0) return [];
    const found = `${lacking.map(({ name }) => name).join(', ')}: ${[...new Set(lacking.flatMap(({ versions }) => versions))].join(', ')} in status.storedVersions, so that the API server refuses the definitions of ${title} ${strimzi.version}, which do not have it`;
    return operatorIn(strimzi, api.context).install ? check.fault(found, { remedy: convertFirst }) : check.warning(found, { remedy: convertFirst });
  });
}
