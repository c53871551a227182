import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation/index.js';
import type { StuckNamespace } from './stuckNamespaces.ts';

/** What the engine did to one resource, or said. Plain JSON: it crosses process boundaries. */
export type EngineProgress =
  | {
      kind: 'resource';
      urn: string;
      /** `Kafka`, `Namespace`: the last part of the type. */
      type: string;
      name: string;
      /** `KafkaBridgeRegion east`: the component that it belongs to. */
      component: string;
      /** `create`, `update`, `delete`, `same`, `read`, `refresh`, … as the engine calls it. */
      op: string;
      state: 'started' | 'done' | 'failed';
    }
  /** What it did to a provider, by which a component reaches its cluster. */
  | { kind: 'provider'; /** `kubernetes`. */ of: string; name: string; op: string }
  | { kind: 'message'; severity: 'info' | 'warning' | 'error'; resource: string; text: string }
  /** What the driver itself did to the stack, such as taking a dead process' lock away. */
  | { kind: 'notice'; text: string };

/** Translates engine events; it remembers parents, because an event names only its own resource. */
export class EngineReader {
  readonly #parents = new Map<string, string>();
  readonly #errors = new Map<string, string[]>();
  /** Namespaces whose deletion failed. */
  readonly stuck: StuckNamespace[] = [];

  /** The progress that an event means, if any. */
  read(event: EngineEvent): EngineProgress | undefined {
    const pre = event.resourcePreEvent?.metadata;
    if (pre) return this.#step(pre, 'started');
    const done = event.resOutputsEvent?.metadata;
    if (done) return this.#step(done, 'done');
    const failed = event.resOpFailedEvent?.metadata;
    if (failed) return this.#step(failed, 'failed');
    const said = event.diagnosticEvent;
    if (!said || said.ephemeral === true) return undefined;
    const severity = severities[said.severity];
    if (!severity) return undefined;
    const text = withoutStack(withoutColors(said.message)).trim();
    if (text === '' || ownPlugin.test(text)) return undefined;
    const resource = said.urn === undefined || said.urn === '' ? '' : this.#title(said.urn);
    // Warnings of Node.js about the program's packages.
    if (said.severity === ofStandardError && resource === '') return undefined;
    if (severity === 'error') this.#errors.set(resource, [...(this.#errors.get(resource) ?? []), text]);
    return { kind: 'message', severity, resource, text };
  }

  /** The errors seen so far, one paragraph a resource; the engine's own closing line is left out where another says more. */
  failure(): string | undefined {
    const all = [...this.#errors].map(([resource, texts]) => ({
      resource,
      texts: [...new Set(texts)].filter((text) => !isClosingLine(text)),
    })).filter(({ texts }) => texts.length > 0);
    if (all.length === 0) return undefined;
    return all.map(({ resource, texts }) => (resource === '' ? texts.join('\n') : `${resource}: ${texts.join('\n')}`)).join('\n');
  }

  #step(step: StepEventMetadata, state: 'started' | 'done' | 'failed'): EngineProgress | undefined {
    const parent = step.new?.parent ?? step.old?.parent;
    if (parent !== undefined) this.#parents.set(step.urn, parent);
    const { type, name } = partsOf(step.urn);
    const { id } = step.old ?? {};
    if (state === 'failed' && type === 'kubernetes:core/v1:Namespace' && step.op.startsWith('delete') && id !== undefined) this.stuck.push({ name: id, provider: step.provider });
    const [, provider] = /^pulumi:providers:(.+)$/.exec(type) ?? [];
    if (provider !== undefined && state === 'done') return { kind: 'provider', of: provider, name, op: step.op };
    // Placement is an entry of the state alone, and nothing to wait for.
    if (type.startsWith('pulumi:') || type === 'kbf:index:Placement') return undefined;
    return { kind: 'resource', urn: step.urn, type: shortType(type), name, component: this.#component(step.urn), op: step.op, state };
  }

  /** The outermost component around a resource, which is the resource itself where it is one. */
  #component(urn: string): string {
    let outermost = urn;
    for (let at: string | undefined = urn; at !== undefined && !partsOf(at).type.startsWith('pulumi:'); at = this.#parents.get(at)) outermost = at;
    const { type, name } = partsOf(outermost);
    return `${shortType(type)} ${name}`;
  }

  #title(urn: string): string {
    const { type, name } = partsOf(urn);
    if (type.startsWith('pulumi:pulumi:Stack')) return '';
    const component = this.#component(urn);
    const own = `${shortType(type)} ${name}`;
    return component === own ? own : `${own} (${component})`;
  }
}

/** A warning about what is meant to be so: the toolchain's provider is found on PATH. */
const ownPlugin = /^using pulumi-\S+ from \$PATH at /;

/** What the engine says of every run that failed, after why. */
export function isClosingLine(text: string): boolean {
  return /^(update|preview|destroy|refresh) (failed|canceled)$/.test(text);
}

const ofStandardError = 'info#err';

/** The engine also sends `debug`, which the Automation API's types do not have. */
const severities: Partial<Record<string, 'info' | 'warning' | 'error'>> = { info: 'info', [ofStandardError]: 'info', warning: 'warning', error: 'error' };

/** `urn:pulumi:dev::project::kbf:index:Kafka$kubernetes:core/v1:Secret::name` → its own type and name. */
function partsOf(urn: string): { type: string; name: string } {
  const [, , types = '', ...name] = urn.split('::');
  return { type: types.split('$').at(-1) ?? '', name: name.join('::') };
}

function shortType(type: string): string {
  return type.split(':').at(-1) ?? type;
}

function withoutColors(text: string): string {
  return text.replaceAll(/<\{%[^%]*%\}>/g, '');
}

/** Drops the frames of a JavaScript stack and the file that heads it: what was wrong stands in the message. */
function withoutStack(text: string): string {
  return text.split('\n').filter((line) => !/^\s+at .+(:\d+:\d+\)?|\(<anonymous>\)|\(native\))$/.test(line)).join('\n');
}
