import { UserError } from '../../errors.ts';
import { quantity, resourceValue } from './quantity.ts';
import type { Json, Pod } from './types.ts';
import type { V1Container, V1EnvVarSource, V1ObjectFieldSelector } from '@kubernetes/client-node';

type Container = Json<V1Container>;

/** Where values come from. `get` resolves to undefined when there is no such object. */
export interface EnvSources {
  readonly pod: Pod;
  readonly podIp: string;
  readonly hostIp: string;
  /** Values are decoded. */
  get(kind: 'configmaps' | 'secrets', name: string): Promise<Record<string, string> | undefined>;
}

/**
 * A container's environment as a kubelet makes it: envFrom in order, then env in order, each `$(VAR)` replaced by what is known so far.
 * @param base Known before the pod's own variables.
 * @throws UserError naming the reference that cannot be resolved.
 */
export async function resolveEnv(container: Container, base: Record<string, string>, sources: EnvSources): Promise<Record<string, string>> {
  const env = { ...base };
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const kind = configMapRef === undefined ? 'secrets' : 'configmaps';
    const reference = configMapRef ?? secretRef;
    const data = await sources.get(kind, reference?.name ?? '');
    if (data === undefined && reference?.optional !== true) throw missing(kind, reference?.name);
    for (const [key, value] of Object.entries(data ?? {})) env[prefix + key] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const resolved = valueFrom === undefined ? expand(value ?? '', env) : await fromSource(valueFrom, container, sources);
    if (resolved !== undefined) env[name] = resolved;
  }
  return env;
}

/** Replaces `$(NAME)` by the variable's value; `$$` is a dollar sign, and unknown names stay as they are. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()]+)\)/g, (whole, name: string | undefined) => name === undefined ? '$' : env[name] ?? whole);
}

/** A field of the pod by its path (`metadata.labels['x']`, `status.podIP`). @throws UserError for a path that Kubernetes does not offer. */
export function podField({ fieldPath }: Pick<V1ObjectFieldSelector, 'fieldPath'>, { pod, podIp, hostIp }: Omit<EnvSources, 'get'>): string {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath);
  if (keyed !== null) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] ?? ''] ?? '';
  const lines = (pairs: Record<string, string> = {}) => Object.entries(pairs).sort().map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n');
  const fields: Record<string, string> = {
    'metadata.name': metadata.name, 'metadata.namespace': metadata.namespace, 'metadata.uid': metadata.uid,
    'metadata.labels': lines(metadata.labels), 'metadata.annotations': lines(metadata.annotations),
    'spec.nodeName': spec.nodeName ?? '', 'spec.serviceAccountName': spec.serviceAccountName ?? 'default',
    'status.podIP': podIp, 'status.podIPs': podIp, 'status.hostIP': hostIp, 'status.hostIPs': hostIp,
  };
  const value = fields[fieldPath];
  if (value === undefined) throw new UserError(`fieldRef ${fieldPath} is not a field that a pod offers.`);
  return value;
}

async function fromSource(source: Json<V1EnvVarSource>, container: Container, sources: EnvSources): Promise<string | undefined> {
  if (source.fieldRef !== undefined) return podField(source.fieldRef, sources);
  if (source.resourceFieldRef !== undefined) {
    const { resource, divisor, containerName } = source.resourceFieldRef;
    const of = containerName === undefined ? container : sources.pod.spec.containers.find((c) => c.name === containerName) ?? container;
    return resourceValue(of, resource, quantity(String(divisor ?? '0')));
  }
  const [kind, reference] = source.configMapKeyRef === undefined ? ['secrets', source.secretKeyRef] as const : ['configmaps', source.configMapKeyRef] as const;
  if (reference === undefined) throw new UserError(`An environment variable comes from ${Object.keys(source).join(', ')}, which is not honoured here.`);
  const data = await sources.get(kind, reference.name ?? '');
  const value = data?.[reference.key];
  if (value === undefined && reference.optional !== true) throw missing(kind, reference.name, data === undefined ? undefined : reference.key);
  return value;
}

function missing(kind: string, name = '', key?: string): UserError {
  const what = `${kind === 'secrets' ? 'secret' : 'configmap'} "${name}"`;
  return new UserError(key === undefined ? `${what} not found` : `couldn't find key ${key} in ${what}`);
}
