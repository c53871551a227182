import * as pulumi from '@pulumi/pulumi';

import { asRecord } from '../../config/text.ts';
import { isPlaceholder, placeholder } from './placeholders.ts';
import type { Registered } from './program.ts';

/** An object as `up` would write it. */
export interface RenderedObject {
  /** The cluster and the namespace that it is in; undefined for objects of the cluster itself. */
  readonly folder: { readonly context: string; readonly namespace: string | undefined } | 'gcp';
  /** Of the API, or what tells it from others of its kind. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Whether the object is somebody else's, and only these fields of it are written. */
  readonly isPatch?: boolean;
  readonly content: Record<string, unknown>;
}

/** An object that says its API, kind and name itself. */
export function kubernetesObject({ type, name, inputs }: Registered, context: string): RenderedObject {
  // A patch of an object has a type of its own, and is one of that object's kind.
  const isPatch = type.endsWith('Patch');
  const kind = text(inputs['kind']) ?? type.split(':').at(-1) ?? type;
  const content = plain(kind === 'Secret' ? hidden(inputs) : inputs);
  const metadata = asRecord(content['metadata']);
  return { folder: { context, namespace: text(metadata['namespace']) }, group: apiGroup(content), kind, name: text(metadata['name']) ?? name, ...(isPatch ? { isPatch } : {}), content };
}

/** What Helm is asked for; the objects are the chart's. */
export function helmRelease({ name, inputs }: Registered, context: string): RenderedObject {
  const { namespace, name: release, chart, version, repositoryOpts, values, ...rest } = plain(inputs);
  return {
    folder: { context, namespace: text(namespace) }, group: 'helm.sh', kind: 'HelmRelease', name: text(release) ?? name,
    content: { chart, ...(repositoryOpts === undefined ? {} : { repositoryOpts }), version, name: release, namespace, ...rest, values },
  };
}

/** A resource of Google Cloud, by its name in the program where it says no other. */
export function gcpResource({ type, name, inputs }: Registered): RenderedObject {
  const [, module = '', kind = type] = type.split(':');
  return { folder: 'gcp', group: module.split('/')[0] ?? module, kind, name: text(inputs['name']) ?? name, content: { type, name, inputs: plain(inputs) } };
}

function apiGroup({ apiVersion }: Record<string, unknown>): string {
  const [group, version] = (text(apiVersion) ?? '').split('/');
  return version === undefined ? 'core' : group ?? '';
}

/** A Secret without its values, in which only its keys are to be seen, and certificates, which are public. */
function hidden(inputs: Registered['inputs']): Registered['inputs'] {
  return Object.fromEntries(Object.entries(inputs).map(([key, value]) => {
    if (key !== 'data' && key !== 'stringData') return [key, value];
    const entries = unwrapped(value);
    if (typeof entries !== 'object' || entries === null || entries === pulumi.unknown) return [key, entries];
    return [key, Object.fromEntries(Object.entries(entries).map(([entry, each]) => [entry, isPlaceholder(each) || isCertificate(each) ? each : placeholder(`value of ${entry}, which is kept out of this file`)]))];
  }));
}

/** One certificate or more, and no key beside them. */
function isCertificate(value: unknown): boolean {
  return typeof value === 'string' && /^\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/.test(value);
}

/** Data as it can be written: what is not known or secret is said in words. */
function plain(inputs: Registered['inputs']): Record<string, unknown> {
  return written(inputs) as Record<string, unknown>;
}

function written(value: unknown): unknown {
  if (value === pulumi.unknown) return placeholder('a value that is known after up');
  if (isSecret(value)) return placeholder('a secret value, which is kept out of this file');
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  if (pulumi.asset.Asset.isInstance(value) || pulumi.asset.Archive.isInstance(value)) return assetText(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, written(each)]));
}

function assetText(value: object): unknown {
  const { path, uri } = value as { path?: unknown; uri?: unknown };
  return path ?? uri ?? 'text';
}

function unwrapped(value: unknown): unknown {
  return isSecret(value) ? value.value : value;
}

function isSecret(value: unknown): value is { value: unknown } {
  return typeof value === 'object' && value !== null && (value as Record<string, unknown>)[pulumi.runtime.specialSigKey] === pulumi.runtime.specialSecretSig;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
