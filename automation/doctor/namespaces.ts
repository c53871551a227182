import { configuredNamespaces, isGiven } from '../../components/configured-namespaces.ts';
import { foreignRemedy } from '../../components/foreign-namespaces.ts';
import { lackOf } from '../../components/missing-namespaces.ts';
import { ownerAnnotation } from '../../components/own-namespace.ts';
import { textOf } from '../../components/running.ts';
import { asRecord } from '../../config/text.ts';
import type { RenderedObject } from '../render/objects.ts';
import type { Finding } from './finding.ts';
import { everyCluster, type Look, objectsIn } from './look.ts';

interface Namespace {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>>; readonly deletionTimestamp?: string };
}

/** Whether the namespaces that the program makes are free, or this stack's: another's would go with this stack. And whether those that it does not make are there. */
export async function judgeNamespaces(look: Look): Promise<readonly Finding[]> {
  return await everyCluster('namespaces', look, async (api, check) => {
    // Charts may share one.
    const wanted = [...new Map(objectsIn(look, api.context).flatMap((object) => ownOf(object) ?? []).map((own) => [own.name, own])).values()];
    const found = await Promise.all(wanted.map(async (each) => ({ ...each, live: await api.find<Namespace>(pathOf(each.name)) })));
    const foreign = found.flatMap(({ name, stack, live }) => {
      const owner = live?.metadata.annotations?.[ownerAnnotation];
      return live === undefined || owner === stack ? [] : [check.fault(`${name} is there${owner === undefined ? ', and no stack made it' : `, of stack ${owner}`}`, { remedy: foreignRemedy(api.context, name, stack) })];
    });
    const given = new Map(configuredNamespaces(look.configuration).filter(isGiven).filter(({ context }) => context === api.context).map((each) => [each.namespace, each]));
    const missing = await Promise.all([...given.values()].map(async (each) => {
      const lack = lackOf(await api.find<Namespace>(pathOf(each.namespace)), each);
      return lack === undefined ? [] : [check.fault(`${each.namespace} ${lack.found}`, { remedy: lack.remedy })];
    }));
    const faults = [...foreign, ...missing.flat()];
    if (faults.length > 0) return faults;
    const made = wanted.length === 0 ? 'none is made' : `${wanted.map(({ name }) => name).join(', ')}: free, or this stack's`;
    return check.ok(given.size === 0 ? made : `${made}; ${[...given.keys()].join(', ')}: there`);
  });
}

function pathOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}`;
}

/** A namespace that the program makes says so itself. */
function ownOf({ kind, name, content }: RenderedObject): { name: string; stack: string } | undefined {
  const stack = kind === 'Namespace' ? textOf(asRecord(asRecord(content['metadata'])['annotations'])[ownerAnnotation]) : undefined;
  return stack === undefined ? undefined : { name, stack };
}
