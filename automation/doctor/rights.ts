import type { ApiServer, Right } from './apiServer.ts';
import { kindOf, type Plurals } from './apis.ts';
import type { Finding } from './finding.ts';
import type { RenderedObject } from '../render/objects.ts';
import { everyCluster, type Look, namespaceOf, objectsIn } from './look.ts';

/** What the engine does to each object: it looks, writes by server-side apply, waits by watching, and deletes. */
const verbs = ['get', 'list', 'watch', 'create', 'patch', 'delete'] as const;
/** To an object of somebody else's, of which it takes back at the end what it wrote. */
const patchVerbs: readonly string[] = ['get', 'patch'];
/** Without it the rest works, but nothing is ever taken away. */
const mayLack = 'delete';

/** Kinds in a namespace, and what is done to them. */
interface Wanted extends Omit<Right, 'verb'> {
  readonly verbs: readonly string[];
}

/** Whether the credentials may do all that the program does. Nothing is tried: the API server is asked what it would allow. */
export async function judgeRights(look: Look, plurals: Plurals): Promise<readonly Finding[]> {
  return await everyCluster('rights', look, async (api, check) => {
    const wanted = wantedIn(look, api.context, plurals.get(api.context) ?? new Map<string, string>());
    if (wanted.length === 0) return check.unchecked('it serves nothing of what is written to it');
    const lacks = (await Promise.all(wanted.map(async (each) => ({ each, denied: await deniedOf(api, each) })))).filter(({ denied }) => denied.length > 0);
    if (lacks.length === 0) return check.ok(`may do all that is done to ${String(wanted.length)} kinds and namespaces`);
    const found = lacks.map(({ each, denied }) => `may not ${denied.join(', ')} ${describe(each)}`).join('; ');
    const remedy = 'Give the user of its kubeconfig a Role or ClusterRole with these verbs.';
    const onlyDelete = lacks.every(({ denied }) => denied.every((verb) => verb === mayLack));
    return onlyDelete ? check.warning(`${found}: \`kbf destroy\` will fail`, { remedy }) : check.fault(found, { remedy });
  });
}

function wantedIn(look: Look, context: string, plurals: ReadonlyMap<string, string>): Wanted[] {
  const objects = objectsIn(look, context);
  const written = objects.flatMap((object) => kindOf(object).map((kind) => ({ ...kind, ...wantedOf(object) })));
  const read = look.reads.filter((each) => each.context === context).map(({ apiVersion, kind, namespace }) => ({ apiVersion, kind, namespace, name: undefined, verbs: ['get'] }));
  const known = [...written, ...read].flatMap(({ apiVersion, kind, verbs: needed, ...where }) => {
    const resource = plurals.get(`${apiVersion} ${kind}`);
    return resource === undefined ? [] : [{ group: apiVersion.includes('/') ? apiVersion.split('/')[0] ?? '' : '', resource, ...where, verbs: needed }];
  });
  const charts = objects.some(({ group }) => group === 'helm.sh') ? chartRights : [];
  return [...Map.groupBy([...known, ...charts], ({ group, resource, namespace, name }) => `${group}/${resource}/${namespace ?? ''}/${name ?? ''}`).values()]
    .flatMap(([first, ...rest]) => (first === undefined ? [] : [{ ...first, verbs: verbs.filter((verb) => [first, ...rest].some((each) => (each.verbs as readonly string[]).includes(verb))) }]));
}

/** Of a patched namespace only itself is asked for, and as in it, where a Role may allow it: others may be nobody's to look at. */
function wantedOf(object: RenderedObject): Pick<Wanted, 'namespace' | 'name' | 'verbs'> {
  const { isPatch = false, name } = object;
  return isPatch ? { namespace: namespaceOf(object) ?? name, name, verbs: patchVerbs } : { namespace: namespaceOf(object), name: undefined, verbs };
}

/** What charts of operators make for the whole cluster. */
const chartRights: readonly Wanted[] = [
  { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', verbs },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', verbs },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings', verbs },
];

/** One question for those who may do everything, one for each verb else. */
async function deniedOf(api: ApiServer, { verbs: needed, ...where }: Wanted): Promise<string[]> {
  if (needed.length > 1 && await api.may({ verb: '*', ...where })) return [];
  const answers = await Promise.all(needed.map(async (verb) => ({ verb, allowed: await api.may({ verb, ...where }) })));
  return answers.filter(({ allowed }) => !allowed).map(({ verb }) => verb);
}

function describe({ group, resource, namespace, name }: Wanted): string {
  const what = `${resource}${group === '' ? '' : `.${group}`}`;
  return name === undefined ? `${what}${namespace === undefined ? '' : ` in ${namespace}`}` : `${what} ${name}`;
}
