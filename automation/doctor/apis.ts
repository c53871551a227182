import { operatorIn } from '../../config/operator-place.ts';
import type { Configuration } from '../../config/schema.ts';
import type { RenderedObject } from '../render/objects.ts';
import type { ApiServer } from './apiServer.ts';
import type { Check, Finding } from './finding.ts';
import { type Look, everyCluster, objectsIn } from './look.ts';

/** A kind as a cluster serves it. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string }[];
}

/** The plurals of kinds, by context and `<apiVersion> <kind>`; kinds that are not served have none. */
export type Plurals = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Whether every cluster serves what the program writes to it, in those versions. */
export async function judgeApis(look: Look): Promise<{ findings: readonly Finding[]; plurals: Plurals }> {
  const plurals = new Map<string, Map<string, string>>();
  const findings = await everyCluster('APIs', look, async (api, check) => {
    const objects = objectsIn(look, api.context);
    const wanted = new Map<string, Set<string>>();
    for (const { apiVersion, kind } of [...objects.flatMap(kindOf), ...look.reads.filter(({ context }) => context === api.context)]) {
      wanted.set(apiVersion, (wanted.get(apiVersion) ?? new Set()).add(kind));
    }
    const known = new Map<string, string>();
    plurals.set(api.context, known);
    const judged = await Promise.all([...wanted].sort(([a], [b]) => (a < b ? -1 : 1)).map(async ([apiVersion, kinds]) => {
      const list = await api.find<ResourceList>(groupPath(apiVersion));
      for (const { name, kind } of list?.resources ?? []) if (!name.includes('/')) known.set(`${apiVersion} ${kind}`, name);
      const missing = [...kinds].filter((kind) => !known.has(`${apiVersion} ${kind}`)).sort();
      const comes = missing.length === 0 ? undefined : comesWith(apiVersion, look.configuration, { context: api.context, objects });
      if (missing.length > 0 && comes === undefined) return { fault: await lack(api, check, { apiVersion, missing, list }) };
      return isOwn(apiVersion) ? {} : { served: `${apiVersion} (${[...kinds].sort().join(', ')}${comes === undefined ? '' : `, which ${comes} brings`})` };
    }));
    const faults = judged.flatMap(({ fault }) => fault ?? []);
    const served = judged.flatMap((each) => each.served ?? []);
    return faults.length > 0 ? faults : check.ok(served.length === 0 ? 'serves all that is written to it' : `serves ${served.join(', ')}`);
  });
  return { findings, plurals };
}

export function kindOf({ content, kind }: RenderedObject): Kind[] {
  const { apiVersion } = content;
  return typeof apiVersion === 'string' ? [{ apiVersion, kind }] : [];
}

/** The part of Kubernetes itself. */
function isOwn(apiVersion: string): boolean {
  return !apiVersion.includes('.') || /\.k8s\.io\//.test(apiVersion);
}

export function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** What `up` itself installs before it needs these kinds. */
function comesWith(apiVersion: string, { operators }: Configuration, { context, objects }: { context: string; objects: readonly RenderedObject[] }): string | undefined {
  const group = apiVersion.split('/')[0] ?? '';
  if (group === 'kafka.strimzi.io' && operatorIn(operators.strimzi, context).install) return "Strimzi's chart";
  if (group === 'cert-manager.io' && operatorIn(operators.certManager, context).install) return "cert-manager's chart";
  const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition').map(({ content }) => (content['spec'] as { group?: string } | undefined)?.group);
  return definitions.includes(group) ? 'a definition of its own' : undefined;
}

async function lack(api: ApiServer, check: Check, { apiVersion, missing, list }: { apiVersion: string; missing: readonly string[]; list: ResourceList | undefined }): Promise<Finding> {
  const [group = '', version = ''] = apiVersion.split('/');
  const kinds = missing.join(', ');
  if (list !== undefined) return check.fault(`${apiVersion} is served without ${kinds}`, { remedy: remedyFor(group, 'incomplete') });
  const others = (await api.find<{ versions?: { version: string }[] }>(`/apis/${group}`))?.versions?.map((each) => each.version) ?? [];
  if (others.length === 0) return check.fault(`${group} is not served`, { expected: `${version} of ${kinds}`, remedy: remedyFor(group, 'missing') });
  return check.fault(`${group} is served as ${others.join(', ')}`, { expected: `${version} of ${kinds}`, remedy: remedyFor(group, 'version') });
}

/** The first that by its documentation has every field that the program writes, whichever kinds of gateways are chosen. */
const raiseTsb = 'Raise TSB to 1.10 or newer.';

const remedies: readonly (readonly [RegExp, Readonly<Record<'missing' | 'version' | 'incomplete', string>>])[] = [
  [/^kafka\.strimzi\.io$/, {
    missing: 'Install Strimzi there, or let `up` do it: operators.strimzi.install: true.',
    version: 'v1 came with Strimzi 0.49, and v1beta2 went with 1.0: choose another Strimzi, or set kafka.api to what is served.',
    incomplete: "Apply the definitions of Strimzi's release: Helm neither adds nor changes them in an upgrade.",
  }],
  [/^cert-manager\.io$/, {
    missing: 'Install cert-manager there, or let `up` do it: operators.certManager.install: true.', version: 'Raise cert-manager.', incomplete: "Apply the definitions of cert-manager's release.",
  }],
  [/\.?tetrate\.io$/, {
    missing: 'Onboard the cluster to TSB, with GitOps enabled in its ControlPlane.', version: raiseTsb, incomplete: raiseTsb,
  }],
  [/\.istio\.io$/, { missing: 'Onboard the cluster to TSB: its control plane brings Istio.', version: 'Raise TSB.', incomplete: 'Raise TSB.' }],
];

function remedyFor(group: string, lack: 'missing' | 'version' | 'incomplete'): string {
  return remedies.find(([pattern]) => pattern.test(group))?.[1][lack] ?? 'Install what serves it, or change the setting that asks for it.';
}
