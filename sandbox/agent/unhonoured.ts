import type { Pod } from './types.ts';

const podFields = new Set([
  'volumes', 'initContainers', 'containers', 'restartPolicy', 'terminationGracePeriodSeconds', 'activeDeadlineSeconds', 'nodeSelector',
  'serviceAccountName', 'automountServiceAccountToken', 'nodeName', 'hostname', 'subdomain', 'hostAliases', 'schedulerName', 'tolerations', 'readinessGates', 'schedulingGates',
]);
/**
 * Without an effect that a pod could notice here: there is one node and nothing is pulled; what admission has already acted upon;
 * defaults that the API server itself puts on every pod.
 */
const podFieldsWithoutEffect = new Set([
  'affinity', 'topologySpreadConstraints', 'priority', 'priorityClassName', 'preemptionPolicy', 'imagePullSecrets', 'serviceAccount',
  'enableServiceLinks', 'os', 'overhead', 'setHostnameAsFQDN', 'runtimeClassName',
]);
const containerFields = new Set([
  'name', 'image', 'command', 'args', 'workingDir', 'ports', 'envFrom', 'env', 'volumeMounts', 'livenessProbe', 'readinessProbe', 'startupProbe',
  'lifecycle', 'terminationMessagePath', 'terminationMessagePolicy', 'restartPolicy', 'imagePullPolicy', 'stdin', 'stdinOnce', 'tty',
]);

/** The fields of a pod that say something which this node agent does not do, as paths; it starts the pod without them. */
export function unhonoured({ spec }: Pod): string[] {
  const says = (value: unknown) => value !== undefined && value !== null && value !== false && !(typeof value === 'object' && Object.keys(value).length === 0);
  const strange = (object: object, known: ReadonlySet<string>) => Object.entries(object).filter(([key, value]) => !known.has(key) && says(value)).map(([key]) => key);
  const of = (kind: 'containers' | 'initContainers') => (spec[kind] ?? []).flatMap((container) => [
    ...strange(container, containerFields),
    ...(['livenessProbe', 'readinessProbe', 'startupProbe'] as const).flatMap((probe) => [
      ...(container[probe]?.grpc === undefined ? [] : [`${probe}.grpc`]),
      ...(container[probe]?.httpGet?.scheme === 'HTTPS' ? [`${probe}.httpGet.scheme`] : []),
    ]),
  ].map((field) => `${kind}[${container.name}].${field}`));
  const pod = strange(spec, new Set([...podFields, ...podFieldsWithoutEffect, 'dnsPolicy']));
  return [...pod, ...of('initContainers'), ...of('containers')];
}
