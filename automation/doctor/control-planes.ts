import type { ApiServer } from './apiServer.ts';
import { deploymentsIn, isAvailable, nameOf, seeDeployment, unavailable } from './deployments.ts';
import { Check, type Finding } from './finding.ts';
import { type Look, notAnswering, objectsIn } from './look.ts';

/** Whether TSB is there to take what is written, and gives gateways their configuration. */
export async function judgeControlPlanes(look: Look): Promise<readonly Finding[]> {
  const inTsb = look.clusters.filter(({ context }) => objectsIn(look, context).some(({ group }) => group.endsWith('tetrate.io')));
  const check = new Check('TSB', inTsb.map(({ context }) => context).join(', '));
  const asked = inTsb.flatMap(({ api }) => api ?? []);
  if (asked.length === 0) return [check.unchecked(notAnswering)];
  const { regions, tier1 } = look.configuration;
  const withGateways = asked.filter(({ context }) => [...regions, tier1].some((place) => place.context === context));
  const all = await Promise.all([check.look(() => judgeTsb(asked, check)), ...withGateways.map((api) => judgeIstiod(api, new Check('istiod', api.context)))]);
  return all.flat();
}

/** TSB's own operators, wherever it runs them. */
async function judgeTsb(asked: readonly ApiServer[], check: Check): Promise<Finding | Finding[]> {
  const found = await Promise.all(asked.map(async (api) => {
    const deployments = await deploymentsIn(api, ['tsb', 'istio-system']);
    return deployments.filter(({ metadata }) => metadata.name.startsWith('tsb-operator')).map((deployment) => ({ context: api.context, deployment }));
  }));
  const all = found.flat();
  const bad = all.filter(({ deployment }) => !isAvailable(deployment));
  if (all.length === 0) return check.warning('no Deployment tsb-operator… is in namespace tsb or istio-system of any of them', { remedy: 'Is TSB installed there? Its operators take what `up` writes.' });
  if (bad.length > 0) return bad.map(({ context, deployment }) => check.fault(`cluster ${context}: ${unavailable(deployment)}`, { remedy: seeDeployment(context, deployment) }));
  return check.ok(`available: ${all.map(({ context, deployment }) => `${nameOf(deployment)} of ${context}`).join(', ')}`);
}

/** Each cluster with a gateway has a control plane, which brings istiod. */
async function judgeIstiod(api: ApiServer, check: Check): Promise<readonly Finding[]> {
  return await check.look(async () => {
    const all = (await deploymentsIn(api, ['istio-system'])).filter(({ metadata }) => metadata.name.startsWith('istiod'));
    const bad = all.filter((deployment) => !isAvailable(deployment));
    if (all.length === 0) return check.fault('no Deployment istiod… is in istio-system', { remedy: 'Onboard the cluster to TSB: its control plane brings it, and without it no gateway gets a configuration.' });
    if (bad.length > 0) return bad.map((deployment) => check.fault(unavailable(deployment), { remedy: seeDeployment(api.context, deployment) }));
    return check.ok(`available: ${all.map(nameOf).join(', ')}`);
  });
}
