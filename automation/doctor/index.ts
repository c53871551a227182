import type { Configuration } from '../../config/schema.ts';
import { ConfigurationError } from '../../config/problems.ts';
import { configurationOf, unseenSettings } from '../configuration.ts';
import { located } from '../options.ts';
import type { EnvironmentOptions } from '../options.ts';
import { stackName } from '../project.ts';
import { caught, objectsOf } from '../render/index.ts';
import { type Registration, registrationOf } from '../render/program.ts';
import { judgeAffinity } from './affinity.ts';
import { judgeApis } from './apis.ts';
import { judgeClientSecrets } from './client-secrets.ts';
import { judgeCertificates } from './certificates.ts';
import { judgeClocks } from './clocks.ts';
import { openClusters } from './clusters.ts';
import { judgeControlPlanes } from './control-planes.ts';
import { judgeExposure } from './exposure.ts';
import { Check, faultOf, type Finding } from './finding.ts';
import { judgeFields } from './fields.ts';
import { judgeHostnames } from './hostnames.ts';
import { judgeInjection } from './injection.ts';
import { judgeKafka } from './kafka.ts';
import { judgeLocalities } from './locality.ts';
import type { Look } from './look.ts';
import { judgeMachine } from './machine.ts';
import { judgeMeshRoot } from './mesh.ts';
import { judgeNamespaces } from './namespaces.ts';
import { judgeNetworks } from './networks.ts';
import { judgeOperators } from './operators.ts';
import { judgeRights } from './rights.ts';
import { judgeSecretCertificates } from './secret-certificates.ts';
import { judgeSharedGroups } from './shared-groups.ts';
import { judgeStoredVersions } from './stored-versions.ts';
import { judgeTsbNames } from './tsb.ts';

/** Looks at all that a stack needs and has, and changes nothing. The program runs on mocks of the process: call it once in a process. */
export async function examine(environment: EnvironmentOptions, isSandbox: boolean): Promise<Finding[]> {
  const settings = new Check('settings', located(environment).stack);
  let configuration: Configuration;
  try {
    configuration = await configurationOf(environment, 'unchecked');
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [...await judgeMachine(environment, ['kubernetes']), ...error.problems.map((problem) => faultOf(settings, problem)), settings.unchecked('nothing else is looked at until these are right')];
  }
  const unseen = await unseenSettings(environment);
  const program = await planned(configuration, settings, environment);
  const packages = new Set(['kubernetes', ...program.registration.resources.map(({ type }) => type.split(':')[0] ?? '')]);
  for (const own of ['kbf', 'pulumi']) packages.delete(own);
  const [machine, { clusters, findings }] = await Promise.all([judgeMachine(environment, [...packages].sort()), openClusters(configuration)]);
  const look: Look = {
    configuration, clusters, isSandbox, objects: objectsOf(program.registration.resources),
    reads: program.registration.reads.map(({ context, apiVersion, kind, namespace }) => ({ context, apiVersion, kind, namespace })),
  };
  return [...machine, ...(unseen === undefined ? [] : [settings.warning(`${unseen}: this goes by the settings of the file`)]), program.finding, ...findings, ...await judgeAll(look)];
}

/** All at the same time, told in the order in which one needs the other. */
async function judgeAll(look: Look): Promise<Finding[]> {
  const apis = judgeApis(look);
  const names = judgeTsbNames(look);
  const findings = await Promise.all([
    apis.then((judged) => judged.findings),
    apis.then(({ plurals }) => judgeFields(look, plurals)),
    judgeStoredVersions(look),
    apis.then(({ plurals }) => judgeRights(look, plurals)),
    judgeNamespaces(look),
    judgeOperators(look),
    judgeControlPlanes(look),
    names.then((judged) => judged.findings),
    judgeLocalities(look),
    judgeMeshRoot(look),
    judgeCertificates(look),
    judgeSecretCertificates(look),
    judgeClientSecrets(look),
    judgeKafka(look),
    judgeInjection(look),
    judgeHostnames(look),
  ]);
  return [judgeClocks(look), ...findings.flat(), ...judgeNetworks(await names), ...judgeSharedGroups(look), ...judgeAffinity(look), ...judgeExposure(look)];
}

/** What the program would do. One that cannot say it is a fault of the settings, or of its own; clusters are looked at all the same. */
async function planned(configuration: Configuration, check: Check, environment: EnvironmentOptions): Promise<{ finding: Finding; registration: Registration }> {
  try {
    const registration = await caught(() => registrationOf(configuration, stackName(located(environment).stack)));
    return { finding: check.ok(`are right, and make ${String(objectsOf(registration.resources).length)} objects`), registration };
  } catch (error) {
    return { finding: check.fault(`the program refuses them: ${(error as Error).message}`), registration: { resources: [], reads: [] } };
  }
}
