import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { render, type Rendering } from '../../automation/render/index.ts';
import type { Configuration } from '../../config/schema.ts';
import { loadConfiguration } from '../../config/stack-file.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Text of a file, by its path in the repository. */
export function inRepository(path: string): string {
  return readFileSync(`${repository}${path}`, 'utf8');
}

export function stackFile(example: string): string {
  return `examples/${example}/Pulumi.${example}.yaml`;
}

/**
 * The configuration of a stack file, as a machine has it on which none of its clusters is known.
 * @param settings replace those of the file
 */
export function configurationOf(path: string, settings: Readonly<Record<string, unknown>> = {}): Configuration {
  return loadConfiguration(`${repository}${path}`, { project: 'kafka-bridge-failover', directory: repository, contexts: 'unchecked', settings });
}

export interface RenderedMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

/** An object as a file of the rendering has it; of a chart, what Helm is asked for. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: RenderedMetadata;
  readonly [more: string]: unknown;
}

/** What `up` would write, by the files of a rendering. */
export class RenderedStack {
  readonly rendering: Rendering;

  private constructor(rendering: Rendering) {
    this.rendering = rendering;
  }

  static async of(path: string, settings: Readonly<Record<string, unknown>> = {}): Promise<RenderedStack> {
    return new RenderedStack(await render(configurationOf(path, settings), 'example'));
  }

  get paths(): string[] {
    return this.rendering.files.map(({ path }) => path);
  }

  /** The object in this file, without the suffix: `east/kafka-bridge/kafkabridge.kafka-bridge`. */
  object(path: string): Rendered {
    const file = this.rendering.files.find((each) => each.path === `${path}.yaml`);
    if (file === undefined) throw new Error(`${path} is not among\n${this.paths.join('\n')}`);
    return parse(file.text) as Rendered;
  }

  spec<S>(path: string): S {
    return this.object(path)['spec'] as S;
  }

  /** How many objects there are of each kind. */
  get kinds(): Record<string, number> {
    const kinds = this.paths.map((path) => path.split('/').at(-1)?.split('.')[0] ?? '').sort();
    return Object.fromEntries(Object.entries(Object.groupBy(kinds, (kind) => kind)).map(([kind, all = []]) => [kind, all.length]));
  }

  /** Contexts, and what is no cluster's. */
  get clusters(): string[] {
    return [...new Set(this.paths.map((path) => path.split('/')[0] ?? ''))];
  }
}
