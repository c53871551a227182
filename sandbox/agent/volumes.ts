import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { V1DownwardAPIVolumeFile, V1KeyToPath, V1Volume, V1VolumeProjection } from '@kubernetes/client-node';
import { messageOf, UserError } from '../../errors.ts';
import type { Api } from './api.ts';
import { ApiError } from './api.ts';
import { podField } from './env.ts';
import type { DataKind } from './objects.ts';
import { fetchData, requestToken } from './objects.ts';
import type { PayloadFile } from './payload.ts';
import { writePayload } from './payload.ts';
import { quantity, resourceValue } from './quantity.ts';
import type { Json, Pod } from './types.ts';

type Volume = Json<V1Volume>;
type Projection = Json<V1VolumeProjection>;

export interface VolumePlaces {
  readonly api: Api;
  /** In memory, for what comes from the API: secrets never reach a disk. */
  readonly memoryDir: string;
  /** For emptyDir. */
  readonly diskDir: string;
  readonly podIp: string;
  readonly hostIp: string;
}

export interface VolumeSource { readonly path: string; readonly readOnly: boolean }

/** The volumes of one pod: made before its containers start, refreshed while they run. */
export class PodVolumes {
  readonly #places: VolumePlaces;
  #pod: Pod;
  readonly #sources = new Map<string, VolumeSource>();
  readonly #tokens = new Map<string, { token: string; renewAt: number }>();

  constructor(pod: Pod, places: VolumePlaces) {
    this.#pod = pod;
    this.#places = places;
  }

  /** @throws UserError naming the volume and what it waits for, or that its type is not honoured. */
  async makeAll(): Promise<void> {
    for (const volume of this.#pod.spec.volumes ?? []) {
      try {
        this.#sources.set(volume.name, await this.#make(volume));
      } catch (error) {
        throw new UserError(`MountVolume.SetUp failed for volume "${volume.name}": ${messageOf(error)}`, { cause: error });
      }
    }
  }

  /** @throws UserError when the pod has no such volume. */
  source(name: string): VolumeSource {
    const source = this.#sources.get(name);
    if (source === undefined) throw new UserError(`volume "${name}" is not one of the pod's volumes`);
    return source;
  }

  /** Whether a volume's content comes from this object. */
  reads(kind: DataKind, name: string): boolean {
    return (this.#pod.spec.volumes ?? []).flatMap(projections).some((p) => (kind === 'secrets' ? p.secret : p.configMap)?.name === name);
  }

  /** Makes the volumes with content from the API anew, with the pod as it is now. One that cannot be made keeps its content. */
  async refresh(pod: Pod): Promise<void> {
    this.#pod = pod;
    for (const volume of pod.spec.volumes ?? []) {
      if (this.#sources.has(volume.name) && projections(volume).length > 0) await this.#make(volume);
    }
  }

  /** Whether a token is due. */
  needsToken(): boolean {
    return [...this.#tokens.values()].some(({ renewAt }) => renewAt <= Date.now());
  }

  /** Whether content follows from labels and annotations, which change. */
  readsPod(): boolean {
    return (this.#pod.spec.volumes ?? []).flatMap(projections).some((p) => p.downwardAPI !== undefined);
  }

  async #make(volume: Volume): Promise<VolumeSource> {
    if (volume.emptyDir !== undefined) {
      const path = join(volume.emptyDir.medium === 'Memory' ? this.#places.memoryDir : this.#places.diskDir, volume.name);
      await mkdir(path, { recursive: true });
      await chmod(path, 0o777);
      return { path, readOnly: false };
    }
    if (volume.persistentVolumeClaim !== undefined) return this.#claim(volume.persistentVolumeClaim);
    const sources = projections(volume);
    if (sources.length === 0) throw new UserError(`its type ${Object.keys(volume).filter((key) => key !== 'name').join(', ')} is not honoured by the sandbox's node agent`);
    const mode = (volume.projected ?? volume.configMap ?? volume.secret ?? volume.downwardAPI)?.defaultMode ?? 0o644;
    const payload = new Map<string, PayloadFile>();
    for (const source of sources) for (const [path, file] of await this.#project(source, mode)) payload.set(path, file);
    const path = join(this.#places.memoryDir, volume.name);
    await writePayload(path, payload);
    return { path, readOnly: true };
  }

  async #project(source: Projection, mode: number): Promise<[string, PayloadFile][]> {
    const { namespace } = this.#pod.metadata;
    if (source.serviceAccountToken !== undefined) {
      const { audience, expirationSeconds = 3600, path } = source.serviceAccountToken;
      return [[path, { data: Buffer.from(await this.#token(audience, expirationSeconds)), mode: 0o600 }]];
    }
    if (source.downwardAPI !== undefined) return (source.downwardAPI.items ?? []).map((item) => [item.path, { data: Buffer.from(this.#field(item)), mode: item.mode ?? mode }]);
    const [kind, from] = source.secret === undefined ? ['configmaps', source.configMap] as const : ['secrets', source.secret] as const;
    if (from === undefined) throw new UserError(`its source ${Object.keys(source).join(', ')} is not honoured by the sandbox's node agent`);
    const data = await fetchData(this.#places.api, kind, namespace, from.name ?? '');
    const what = `${kind === 'secrets' ? 'secret' : 'configmap'} "${from.name ?? ''}"`;
    if (data === undefined && from.optional !== true) throw new UserError(`${what} not found`);
    return pick(data ?? {}, from.items, mode, { what, optional: from.optional === true });
  }

  async #token(audience: string | undefined, seconds: number): Promise<string> {
    const key = `${audience ?? ''} ${seconds}`;
    const known = this.#tokens.get(key);
    if (known !== undefined && known.renewAt > Date.now()) return known.token;
    const fresh = await requestToken(this.#places.api, this.#pod, audience, seconds);
    this.#tokens.set(key, fresh);
    return fresh.token;
  }

  #field({ fieldRef, resourceFieldRef }: Json<V1DownwardAPIVolumeFile>): string {
    if (fieldRef !== undefined) return podField(fieldRef, { pod: this.#pod, ...this.#places });
    const container = this.#pod.spec.containers.find(({ name }) => name === resourceFieldRef?.containerName);
    if (container === undefined || resourceFieldRef === undefined) throw new UserError('a downwardAPI item names neither a field nor a container\'s resource');
    return resourceValue(container, resourceFieldRef.resource, quantity(String(resourceFieldRef.divisor ?? '0')));
  }

  async #claim({ claimName, readOnly = false }: { claimName: string; readOnly?: boolean }): Promise<VolumeSource> {
    const { api } = this.#places;
    const claim = await api.call<{ spec: { volumeName?: string }; status?: { phase?: string } }>(
      'GET', `/api/v1/namespaces/${this.#pod.metadata.namespace}/persistentvolumeclaims/${claimName}`,
    ).catch((error: unknown) => {
      throw error instanceof ApiError && error.code === 404 ? new UserError(`persistentvolumeclaim "${claimName}" not found`) : error;
    });
    if (claim.spec.volumeName === undefined || claim.status?.phase !== 'Bound') throw new UserError(`persistentvolumeclaim "${claimName}" is not bound yet`);
    const volume = await api.call<{ spec: { hostPath?: { path: string } } }>('GET', `/api/v1/persistentvolumes/${claim.spec.volumeName}`);
    if (volume.spec.hostPath === undefined) throw new UserError(`persistentvolume "${claim.spec.volumeName}" is not of storage class standard, the only one honoured here`);
    return { path: volume.spec.hostPath.path, readOnly };
  }
}

/** What a volume is made of, as a projected volume would say it; nothing for a volume that does not come from the API. */
function projections(volume: Volume): Projection[] {
  if (volume.projected !== undefined) return volume.projected.sources ?? [];
  if (volume.configMap !== undefined) return [{ configMap: volume.configMap }];
  if (volume.downwardAPI !== undefined) return [{ downwardAPI: volume.downwardAPI }];
  if (volume.secret === undefined) return [];
  const { secretName, items, optional } = volume.secret;
  return [{ secret: { ...(secretName === undefined ? {} : { name: secretName }), ...(items === undefined ? {} : { items }), ...(optional === undefined ? {} : { optional }) } }];
}

function pick(data: Record<string, Buffer>, items: readonly V1KeyToPath[] | undefined, mode: number, from: { what: string; optional: boolean }): [string, PayloadFile][] {
  if (items === undefined) return Object.entries(data).map(([key, value]) => [key, { data: value, mode }]);
  return items.flatMap(({ key, path, mode: own }): [string, PayloadFile][] => {
    const value = data[key];
    if (value === undefined && !from.optional) throw new UserError(`${from.what} has no key "${key}"`);
    return value === undefined ? [] : [[path, { data: value, mode: own ?? mode }]];
  });
}
