import { credentials, credentialsSource } from './bridge-authentication.ts';
import { bridgeBasics, bridgeComponent, bridgeWorkload, refuseUnlike, trustedCertificates } from './bridge-objects.ts';
import type { KubernetesCluster } from './cluster.ts';
import { selectorOf } from './labels.ts';
import { Failure, type Condition, type Deployment, type KafkaBridge, type Secret } from './model.ts';
import type { OperatorRelease } from '../../../config/versions.ts';
import type { Outcome } from './reconciler.ts';
import { unhonouredWarnings } from './status.ts';

/** Brings one KafkaBridge about: its objects, then its pods ready. Kafka itself is not asked: readiness does not say that it is there. */
export async function reconcileBridge(cluster: KubernetesCluster, bridge: KafkaBridge, release: OperatorRelease): Promise<Outcome> {
  const warnings = unhonouredWarnings(bridge, 'KafkaBridge');
  const fields = statusFields(bridge);
  try {
    refuseUnlike(bridge);
    await cluster.apply(bridgeBasics(bridge), bridge);
    const secrets = await secretsOf(cluster, bridge);
    await cluster.apply(bridgeWorkload(bridge, { trusted: trustedCertificates(bridge, secrets), credentials: credentials(bridge, secrets) }, release), bridge);
    return await outcome(cluster, bridge, { warnings, fields });
  } catch (error) {
    if (error instanceof Failure) return { state: 'failed', warnings, fields, failure: error };
    throw error;
  }
}

async function outcome(cluster: KubernetesCluster, bridge: KafkaBridge, said: { warnings: Condition[]; fields: Record<string, unknown> }): Promise<Outcome> {
  const { namespace } = bridge.metadata;
  const { name } = bridgeComponent(bridge);
  const deployment = await cluster.get<Deployment>('apps/v1', 'Deployment', namespace, name);
  if (isReady(deployment, bridge.spec.replicas)) return { state: 'ready', ...said };
  return { state: 'waiting', ...said, waitingFor: `Deployment resource ${name} in namespace ${namespace} to be ready` };
}

function isReady(deployment: Deployment | undefined, replicas: number): boolean {
  const { metadata, status } = deployment ?? {};
  return status?.observedGeneration === metadata?.generation && (status?.updatedReplicas ?? 0) === replicas && (status?.availableReplicas ?? 0) === replicas && (status?.replicas ?? 0) === replicas;
}

async function secretsOf(cluster: KubernetesCluster, bridge: KafkaBridge): Promise<Map<string, Secret>> {
  const { metadata, spec } = bridge;
  const names = new Set((spec.tls?.trustedCertificates ?? []).map(({ secretName }) => secretName));
  const own = credentialsSource(bridge)?.secretName;
  if (own !== undefined) names.add(own);
  const found = new Map<string, Secret>();
  for (const name of names) {
    const secret = await cluster.get<Secret>('v1', 'Secret', metadata.namespace, name);
    if (secret !== undefined) found.set(name, secret);
  }
  return found;
}

function statusFields(bridge: KafkaBridge): Record<string, unknown> {
  const { name, namespace } = bridge.metadata;
  const { replicas, http } = bridge.spec;
  return {
    // Strimzi says http also where http.tls is set, and nothing when there is nothing to call.
    ...(replicas === 0 ? {} : { url: `http://${name}-bridge-service.${namespace}.svc:${String(http?.port ?? 8080)}` }),
    replicas,
    labelSelector: Object.entries(selectorOf(bridgeComponent(bridge))).map(([key, value]) => `${key}=${value}`).join(','),
  };
}
