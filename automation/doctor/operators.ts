import { operatorCatalog, type OperatorName } from '../../components/operator-catalog.ts';
import { imageOf, watchedBy, watchMore } from '../../components/operator-deployment.ts';
import { operatorNeeds } from '../../components/operators.ts';
import { operatorIn } from '../../config/operator-place.ts';
import { releaseWithout } from '../../config/versions.ts';
import type { ApiServer } from './apiServer.ts';
import { type Deployment, isAvailable, nameOf, seeDeployment, unavailable } from './deployments.ts';
import { Check, type Finding } from './finding.ts';
import { type Look, notAnswering, objectsIn } from './look.ts';

/** Whether the operators that objects wait for are there and available: without them nothing ever becomes ready. */
export async function judgeOperators(look: Look): Promise<readonly Finding[]> {
  const needs = look.clusters.flatMap(({ context, api }) => {
    const groups = new Set(objectsIn(look, context).map(({ group }) => group));
    const names = (Object.keys(operatorCatalog) as OperatorName[]).filter((name) => groups.has(operatorCatalog[name].group));
    return names.map((name) => ({ name, api, check: new Check(operatorCatalog[name].title, context) }));
  });
  const found = await Promise.all(needs.map(async ({ name, api, check }) =>
    (api === undefined ? [check.unchecked(notAnswering)] : await check.look(() => judge(look, name, { api, check })))));
  return found.flat();
}

async function judge({ configuration }: Look, name: OperatorName, { api, check }: { api: ApiServer; check: Check }): Promise<Finding> {
  const { title, deployment } = operatorCatalog[name];
  const { namespace, install } = operatorIn(configuration.operators[name], api.context);
  const found = await api.find<Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`)
    ?? (await api.list<Deployment>(`/apis/apps/v1/deployments?fieldSelector=metadata.name%3D${deployment}`))[0];
  if (found === undefined && install) return check.ok('is not there; `up` installs it');
  if (found === undefined) {
    return check.warning(`no Deployment ${deployment} is there`, { remedy: `If ${title} runs under another name, see that it is available; else install it, or let \`up\` do it: operators.${name}.install: true.` });
  }
  if (!isAvailable(found)) return check.fault(unavailable(found), { remedy: seeDeployment(api.context, found) });
  // One that `up` installs is raised before Kafka is.
  return name === 'strimzi' && !install ? judgeStrimzi(found, configuration, check) : check.ok(`available: ${nameOf(found)}`);
}

function judgeStrimzi(found: Deployment, configuration: Look['configuration'], check: Check): Finding {
  const { kafka } = configuration;
  const watched = watchedBy(found);
  const places = (operatorNeeds(configuration).get(check.subject) ?? []).flatMap(({ operator, namespace }) => (operator === 'strimzi' ? [namespace] : []));
  const others = [...new Set(places)].filter((each) => watched?.includes(each) === false);
  if (others.length > 0) return check.fault(`${nameOf(found)} does not watch ${others.join(', ')}; it watches ${watched?.join(', ') ?? ''}`, { remedy: watchMore });
  const release = kafka.existing === undefined && kafka.context === check.subject ? releaseWithout(kafka.version, imageOf(found)) : undefined;
  if (kafka.existing !== undefined || release === undefined) return check.ok(`available: ${nameOf(found)}`);
  return check.fault(`Strimzi ${release.operator} does not run Kafka ${kafka.version}`, { expected: release.kafka.join(', '), remedy: 'Set kafka.version to one of these, or raise Strimzi first.' });
}
