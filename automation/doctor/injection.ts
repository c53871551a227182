import { shellWord } from '../../config/shell-word.ts';
import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly name: string }[]; readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[] };
  readonly status?: { readonly phase?: string; readonly containerStatuses?: readonly ContainerStatus[]; readonly initContainerStatuses?: readonly ContainerStatus[] };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly state?: { readonly waiting?: { readonly reason?: string } };
}

const sidecar = 'istio-proxy';

/** Whether every bridge has its sidecar: one without is not in the mesh, and no peer region reaches it. */
export async function judgeInjection(look: Look): Promise<readonly Finding[]> {
  const { regions, bridge } = look.configuration;
  const all = await Promise.all(regions.map(async ({ name, context }) => {
    const check = new Check('injection', name);
    const api = apiOf(look, context);
    if (api === undefined) return [check.unchecked(notAnswering)];
    return await check.look(async () => {
      const pods = await api.list<Pod>(`/api/v1/namespaces/${bridge.namespace}/pods?labelSelector=${encodeURIComponent(`strimzi.io/kind=KafkaBridge,strimzi.io/cluster=${bridge.name}`)}`);
      const living = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      if (living.length === 0) return check.unchecked('there is no bridge yet');
      const bad = living.flatMap((pod) => lack(pod) ?? []);
      if (bad.length === 0) return check.ok(`${String(living.length)} of ${String(living.length)} bridge pods are 2/2`);
      const remedy = `A pod gets its sidecar only when it is made: kubectl --context ${shellWord(context)} -n ${bridge.namespace} get namespace,pods --show-labels, then delete the pod.`;
      return check.fault(bad.join('; '), { expected: '2/2', remedy });
    });
  }));
  return all.flat();
}

/** What a pod lacks to be 2/2; newer meshes have the sidecar among the containers that come first and stay. */
function lack({ metadata, spec, status }: Pod): string | undefined {
  const staying = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const names = [...spec.containers, ...staying].map(({ name }) => name);
  if (!names.includes(sidecar)) return `pod ${metadata.name} has no ${sidecar}`;
  const statuses = [...status?.containerStatuses ?? [], ...status?.initContainerStatuses ?? []].filter(({ name }) => names.includes(name));
  const ready = statuses.filter((each) => each.ready);
  if (ready.length === names.length) return undefined;
  const waiting = names.filter((name) => !ready.some((each) => each.name === name)).map((name) => `${name} ${statuses.find((each) => each.name === name)?.state?.waiting?.reason ?? status?.phase ?? 'is not ready'}`);
  return `pod ${metadata.name} is ${String(ready.length)}/${String(names.length)} (${waiting.join(', ')})`;
}
