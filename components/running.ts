import { asRecord } from '../config/text.ts';
import type { Previous } from './previous.ts';

/** An object as the last run left it. */
export interface RunningObject {
  readonly kind: string;
  /** Of its API: `v1beta2`. */
  readonly version: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** One component as the last run left it. */
export interface Running {
  /** Context of its cluster. */
  readonly cluster: string | undefined;
  /** The namespace that the program made for it; undefined for one that was there before. */
  readonly namespace: string | undefined;
  /** One of its objects, by its kind and its name in the program, whichever version of its API it was made by. */
  readonly object: (kind: Kind, name: string) => RunningObject | undefined;
}

const kinds = {
  Kafka: ['kafka.strimzi.io/v1', 'kafka.strimzi.io/v1beta2'],
  KafkaNodePool: ['kafka.strimzi.io/v1'],
  KafkaBridge: ['kafka.strimzi.io/v1', 'kafka.strimzi.io/v1beta2'],
  Gateway: ['install.tetrate.io/v1alpha1'],
  IngressGateway: ['install.tetrate.io/v1alpha1'],
  Tier1Gateway: ['install.tetrate.io/v1alpha1'],
} as const;

type Kind = keyof typeof kinds;

/** Gives what runs of a component, by its type and its name. */
export function runningIn(previous: Previous): (component: string, name: string) => Running {
  return (component, name) => {
    const type = `kbf:index:${component}`;
    const outputsOf = (child: string, of: string) => previous.outputsOf(`${type}$kubernetes:${child}`, of);
    return {
      cluster: textOf(previous.outputsOf(type, name)?.['cluster']),
      namespace: textOf(asRecord(outputsOf('core/v1:Namespace', `${name}-namespace`)?.['metadata'])['name']),
      object: (kind, of) => {
        const [found] = kinds[kind].flatMap((api) => {
          const outputs = outputsOf(`${api}:${kind}`, of);
          return outputs === undefined ? [] : [objectOf(kind, api, outputs)];
        });
        return found;
      },
    };
  };
}

function objectOf(kind: string, api: string, outputs: Readonly<Record<string, unknown>>): RunningObject {
  const { name, namespace } = asRecord(outputs['metadata']);
  return { kind, version: api.split('/')[1] ?? '', name: textOf(name), namespace: textOf(namespace), spec: asRecord(outputs['spec']) };
}

/** undefined for what is no text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
