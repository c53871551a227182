import { configuredNamespaces, type GivenNamespace, isGiven } from '../../components/configured-namespaces.ts';
import { foreignRemedy } from '../../components/foreign-namespaces.ts';
import { leftVolumes } from '../../components/left-volumes.ts';
import { lackOf } from '../../components/missing-namespaces.ts';
import { ownerAnnotation } from '../../components/own-namespace.ts';
import { textOf } from '../../components/running.ts';
import type { Configuration } from '../../config/schema.ts';
import { asRecord } from '../../config/text.ts';
import type { RenderedObject } from '../render/objects.ts';
import type { ApiServer } from './apiServer.ts';
import { groupPath } from './apis.ts';
import type { Check, Finding } from './finding.ts';
import { everyCluster, type Look, objectsIn } from './look.ts';

interface Namespace {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>>; readonly deletionTimestamp?: string };
}

/** One that the program makes. */
interface Own {
  readonly name: string;
  readonly stack: string;
}

/** One that was looked at, with what is wrong with it. */
interface Judged {
  readonly name: string;
  readonly findings: readonly Finding[];
}

/**
 * Whether the namespaces that the program makes are free, or this stack's: another's would go with this stack. And whether those that it does not make are there,
 * and volumes of an earlier Kafka are not. One that may not be read says nothing about the others.
 */
export async function judgeNamespaces(look: Look): Promise<readonly Finding[]> {
  return await everyCluster('namespaces', look, async (api, check) => {
    // Charts may share one.
    const wanted = [...new Map(objectsIn(look, api.context).flatMap((object) => ownOf(object) ?? []).map((own) => [own.name, own])).values()];
    const given = [...new Map(configuredNamespaces(look.configuration).filter(isGiven).filter(({ context }) => context === api.context).map((each) => [each.namespace, each])).values()];
    const [made, found, volumes] = await Promise.all([
      Promise.all(wanted.map(async (own): Promise<Judged> => ({ name: own.name, findings: await check.look(() => judgeMade(api, check, own)) }))),
      Promise.all(given.map(async (each): Promise<Judged> => ({ name: each.namespace, findings: await check.look(() => judgeGiven(api, check, each)) }))),
      check.look(() => judgeVolumes(api, check, look.configuration)),
    ]);
    const problems = [...[...made, ...found].flatMap(({ findings }) => findings), ...volumes];
    if (problems.some(({ verdict }) => verdict === 'fault')) return problems;
    const [free, there] = [made, found].map((all) => all.flatMap(({ name, findings }) => (findings.length === 0 ? [name] : [])).join(', '));
    const good = [...(wanted.length === 0 ? ['none is made'] : []), ...(free ? [`${free}: free, or this stack's`] : []), ...(there ? [`${there}: there`] : [])];
    return good.length === 0 ? problems : [...problems, check.ok(good.join('; '))];
  });
}

async function judgeMade(api: ApiServer, check: Check, { name, stack }: Own): Promise<Finding[]> {
  const live = await api.find<Namespace>(pathOf(name));
  const owner = live?.metadata.annotations?.[ownerAnnotation];
  return live === undefined || owner === stack ? [] : [check.fault(`${name} is there${owner === undefined ? ', and no stack made it' : `, of stack ${owner}`}`, { remedy: foreignRemedy(api.context, name, stack) })];
}

async function judgeGiven(api: ApiServer, check: Check, given: GivenNamespace): Promise<Finding[]> {
  const lack = lackOf(await api.find<Namespace>(pathOf(given.namespace)), given);
  return lack === undefined ? [] : [check.fault(`${given.namespace} ${lack.found}`, { remedy: lack.remedy })];
}

async function judgeVolumes(api: ApiServer, check: Check, { kafka }: Configuration): Promise<Finding[]> {
  if (kafka.existing !== undefined || kafka.context !== api.context) return [];
  const left = await leftVolumes(kafka, async ({ apiVersion, kind, namespace = '', name }) => await api.find(`${groupPath(apiVersion)}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`));
  return left === undefined ? [] : [check.fault(`${kafka.namespace} ${left.found}`, { remedy: left.remedy })];
}

function pathOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}`;
}

/** A namespace that the program makes says so itself. */
function ownOf({ kind, name, content }: RenderedObject): Own | undefined {
  const stack = kind === 'Namespace' ? textOf(asRecord(asRecord(content['metadata'])['annotations'])[ownerAnnotation]) : undefined;
  return stack === undefined ? undefined : { name, stack };
}
