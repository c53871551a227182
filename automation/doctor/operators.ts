import { operatorCatalog, type OperatorName } from '../../components/operator-catalog.ts';
import { operatorRelease } from '../../config/versions.ts';
import type { ApiServer } from './apiServer.ts';
import { Check, type Finding } from './finding.ts';
import { type Look, notAnswering, objectsIn } from './look.ts';

interface Deployment {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly generation?: number };
  readonly spec?: { readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } } };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[] };
}

/** Whether the operators that objects wait for are there and available: without them nothing ever becomes ready. */
export async function judgeOperators(look: Look): Promise<readonly Finding[]> {
  const needs = look.clusters.flatMap(({ context, api }) => {
    const groups = new Set(objectsIn(look, context).map(({ group }) => group));
    const names = (Object.keys(operatorCatalog) as OperatorName[]).filter((name) => groups.has(operatorCatalog[name].group));
    return names.map((name) => ({ name, api, check: new Check(operatorCatalog[name].title, context) }));
  });
  const found = await Promise.all(needs.map(async ({ name, api, check }) =>
    (api === undefined ? [check.unchecked(notAnswering)] : await check.look(() => judge(look, name, { api, check })))));
  return [...found.flat(), ...await judgeTsb(look)];
}

async function judge({ configuration }: Look, name: OperatorName, { api, check }: { api: ApiServer; check: Check }): Promise<Finding> {
  const { title, deployment } = operatorCatalog[name];
  const { namespace, install } = configuration.operators[name];
  const found = await api.find<Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`)
    ?? (await api.list<Deployment>(`/apis/apps/v1/deployments?fieldSelector=metadata.name%3D${deployment}`))[0];
  if (found === undefined && install) return check.ok('is not there; `up` installs it');
  if (found === undefined) {
    return check.warning(`no Deployment ${deployment} is there`, { remedy: `If ${title} runs under another name, see that it is available; else install it, or let \`up\` do it: operators.${name}.install: true.` });
  }
  if (!isAvailable(found)) return check.fault(unavailable(found), { remedy: seeDeployment(api.context, found) });
  return name === 'strimzi' ? judgeStrimzi(found, configuration.kafka, check) : check.ok(`${nameOf(found)} is available`);
}

/** Its release decides which Kafka it runs, whatever its definitions take. */
function judgeStrimzi(found: Deployment, kafka: Look['configuration']['kafka'], check: Check): Finding {
  const release = operatorRelease(versionOf(found) ?? '');
  if (kafka.existing !== undefined || kafka.context !== check.subject || release === undefined || release.kafka.includes(kafka.version)) return check.ok(`${nameOf(found)} is available`);
  return check.fault(`Strimzi ${release.operator} does not run Kafka ${kafka.version}`, { expected: release.kafka.join(', '), remedy: 'Set kafka.version to one of these, or raise Strimzi first.' });
}

/** TSB's own operators, wherever it runs them; each cluster of its has a control plane, which brings istiod. */
async function judgeTsb(look: Look): Promise<readonly Finding[]> {
  const inTsb = look.clusters.filter(({ context }) => objectsIn(look, context).some(({ group }) => group.endsWith('tetrate.io')));
  const subject = inTsb.map(({ context }) => context).join(', ');
  const check = new Check('TSB', subject);
  const asked = inTsb.flatMap(({ api }) => api ?? []);
  if (asked.length === 0) return [check.unchecked(notAnswering)];
  const operators = await check.look(async () => {
    const deployments = (await Promise.all(asked.map(async (api) => (await deploymentsIn(api, ['tsb', 'istio-system'])).filter(({ metadata }) => metadata.name.startsWith('tsb-operator')).map((deployment) => ({ api, deployment }))))).flat();
    const bad = deployments.filter(({ deployment }) => !isAvailable(deployment));
    if (deployments.length === 0) return check.warning('no Deployment tsb-operator… is in namespace tsb or istio-system of any of them', { remedy: 'Is TSB installed there? Its operators take what `up` writes.' });
    if (bad.length > 0) return bad.map(({ api, deployment }) => check.fault(`cluster ${api.context}: ${unavailable(deployment)}`, { remedy: seeDeployment(api.context, deployment) }));
    return check.ok(deployments.map(({ api, deployment }) => `${nameOf(deployment)} of ${api.context} is available`).join(', '));
  });
  const meshes = await Promise.all(asked.map(async (api) => {
    const mesh = new Check('istiod', api.context);
    return await mesh.look(async () => {
      const all = (await deploymentsIn(api, ['istio-system'])).filter(({ metadata }) => metadata.name.startsWith('istiod'));
      if (all.length === 0) return mesh.fault('no Deployment istiod… is in istio-system', { remedy: 'Onboard the cluster to TSB: its control plane brings it, and without it no gateway gets a configuration.' });
      const bad = all.filter((deployment) => !isAvailable(deployment));
      return bad.length > 0 ? bad.map((deployment) => mesh.fault(unavailable(deployment), { remedy: seeDeployment(api.context, deployment) })) : mesh.ok(`${all.map(nameOf).join(', ')} is available`);
    });
  }));
  return [...operators, ...meshes.flat()];
}

async function deploymentsIn(api: ApiServer, namespaces: readonly string[]): Promise<Deployment[]> {
  return (await Promise.all(namespaces.map((namespace) => api.list<Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`)))).flat();
}

function isAvailable({ status }: Deployment): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Available' && is === 'True') === true;
}

function unavailable(deployment: Deployment): string {
  const said = deployment.status?.conditions?.find(({ type, status }) => type === 'Available' && status !== 'True')?.message;
  return `${nameOf(deployment)} is not available${said === undefined ? '' : `: ${said}`}`;
}

function nameOf(deployment: Deployment): string {
  const version = versionOf(deployment);
  return `${deployment.metadata.namespace}/${deployment.metadata.name}${version === undefined ? '' : ` ${version}`}`;
}

/** The tag of its image, without the `v` that some have. */
function versionOf({ spec }: Deployment): string | undefined {
  return /:v?([^:/@]+)(@|$)/.exec(spec?.template?.spec?.containers?.[0]?.image ?? '')?.[1];
}

function seeDeployment(context: string, { metadata }: Deployment): string {
  return `See: kubectl --context ${context} -n ${metadata.namespace} describe deployment ${metadata.name}`;
}
