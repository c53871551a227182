import type { CheckFailure, CheckResult, CreateResult, DiffResult, InvokeResult, Provider, ReadResult, UpdateResult } from '@pulumi/pulumi/provider/index.js';
import type { ZodType } from 'zod';
import type { Log } from './engine-log.ts';
import { holdsSecret, holdsUnknown, plain, same } from './values.ts';
import type { Bag } from './values.ts';

/** What a resource type is told to work on. */
export interface Task {
  readonly urn: string;
  /** The name in the program. */
  readonly name: string;
  /** Inputs with their defaults, without the marks of secrets. */
  readonly inputs: Bag;
  /** Whether any input is a secret, so that what is made of them is one. */
  readonly sensitive: boolean;
  /** Aborts when the engine is told to stop. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** One resource type of the official plugin, as far as it is honoured. Outputs are those that are not inputs, and inputs that become secrets. */
export interface ResourceType {
  /** What each input may hold. An input that is not named is refused. */
  readonly inputs: Readonly<Record<string, ZodType>>;
  /** Inputs that a resource cannot change in place. */
  readonly replaceOn: readonly string[];
  /** Outputs whose time has come, for which it is replaced though nobody changed it. */
  outdated?(state: Bag): string[];
  create(task: Task): Promise<{ id: string; outputs: Bag }>;
  /** `state` is what was before, without the marks of secrets. */
  update?(task: Task, state: Bag): Promise<Bag>;
  delete?(task: Task, state: Bag): Promise<void>;
  /** Outputs that are others by now. */
  refresh?(state: Bag): Bag;
}

export interface StandInOptions {
  /** The official plugin's name and version. */
  readonly plugin: string;
  readonly version: string;
  readonly types: Readonly<Record<string, ResourceType>>;
  readonly log: Log;
}

/** Takes the place of an official plugin where that cannot be had, and says so. What it does not honour it refuses, naming it. */
export class StandIn implements Provider {
  readonly version: string;
  readonly #o: StandInOptions;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #introduced = false;

  constructor(o: StandInOptions) {
    this.#o = o;
    // As build metadata, which no comparison of versions looks at.
    this.version = `${o.version}+reference`;
  }

  getSchema(): Promise<string> {
    return Promise.resolve(JSON.stringify({ name: this.#o.plugin, version: this.version, description: this.#introduction() }));
  }

  check(urn: string, _olds: Bag, news: Bag): Promise<CheckResult> {
    const type = this.#o.types[typeOf(urn)];
    if (type === undefined) return Promise.resolve({ inputs: news, failures: [{ property: '', reason: this.#unknownType(urn) }] });
    const inputs: Bag = { ...news };
    const failures = Object.keys(news).filter((key) => !(key in type.inputs)).map((property) =>
      failure(property, news[property], `the stand-in for the official ${this.#o.plugin} plugin does not honour it: leave it out, or use the official plugin`));
    for (const [property, schema] of Object.entries(type.inputs)) {
      if (holdsUnknown(news[property])) continue;
      const { success, data, error } = schema.safeParse(plain(news[property]) ?? undefined);
      if (!success) failures.push(failure(property, news[property], error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')));
      else if ((news[property] ?? undefined) === undefined && data !== undefined) inputs[property] = data;
    }
    return Promise.resolve({ inputs, failures });
  }

  diff(_id: string, urn: string, olds: Bag, news: Bag): Promise<DiffResult> {
    const type = this.#type(urn);
    const changed = Object.keys(type.inputs).filter((key) => !same(olds[key], news[key]));
    const replaces = [...changed.filter((key) => type.replaceOn.includes(key)), ...type.outdated?.(plain({ ...olds, ...news }) as Bag) ?? []];
    return Promise.resolve({ changes: changed.length > 0 || replaces.length > 0, replaces });
  }

  async create(urn: string, inputs: Bag): Promise<CreateResult> {
    this.#introduce(urn);
    const { id, outputs } = await this.#run(this.#type(urn).create(this.#task(urn, inputs)));
    return { id, outs: { ...inputs, ...outputs } };
  }

  async update(_id: string, urn: string, olds: Bag, news: Bag): Promise<UpdateResult> {
    this.#introduce(urn);
    const outputs = await this.#run(this.#type(urn).update?.(this.#task(urn, news), plain(olds) as Bag));
    return { outs: { ...news, ...outputs } };
  }

  async delete(_id: string, urn: string, state: Bag): Promise<void> {
    try {
      await this.#run(this.#type(urn).delete?.(this.#task(urn, state), plain(state) as Bag));
    } catch (error) {
      // The server prints what it is thrown, with the stack; the engine says it to the person all the same.
      (error as Error).stack = '';
      throw error;
    }
  }

  read(id: string, urn: string, state: Bag = {}): Promise<ReadResult> {
    return Promise.resolve({ id, props: { ...state, ...this.#type(urn).refresh?.(plain(state) as Bag) } });
  }

  invoke(token: string): Promise<InvokeResult> {
    return Promise.resolve({ outputs: {}, failures: [{ property: '', reason: this.#refusal(token) }] });
  }

  /** Ends what runs, and resolves when it has ended. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running);
  }

  async #run<T>(work: Promise<T>): Promise<T>;
  async #run<T>(work: Promise<T> | undefined): Promise<T | undefined>;
  async #run<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    if (work === undefined) return undefined;
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  #task(urn: string, inputs: Bag): Task {
    const { log } = this.#o;
    return { urn, name: nameOf(urn), inputs: plain(inputs) as Bag, sensitive: holdsSecret(inputs), signal: this.#stop.signal, log };
  }

  #type(urn: string): ResourceType {
    const type = this.#o.types[typeOf(urn)];
    if (type === undefined) throw new Error(this.#unknownType(urn));
    return type;
  }

  #unknownType(urn: string): string {
    return this.#refusal(typeOf(urn));
  }

  #refusal(what: string): string {
    return `the stand-in for the official ${this.#o.plugin} plugin does not have ${what}, only ${Object.keys(this.#o.types).join(' and ')}; use the official plugin`;
  }

  /** Once a process, and only where it does something. */
  #introduce(urn: string): void {
    if (this.#introduced) return;
    this.#introduced = true;
    this.#o.log.info(urn, this.#introduction());
  }

  #introduction(): string {
    return `pulumi-resource-${this.#o.plugin} is a stand-in of kafka-bridge-failover for the official plugin ${this.#o.version}.`;
  }
}

/** The engine prints the value of a property that it is told of, secrets too. */
function failure(property: string, value: unknown, reason: string): CheckFailure {
  return holdsSecret(value) ? { property: '', reason: `${property}: ${reason}` } : { property, reason };
}

/** `urn:pulumi:dev::project::kbf:index:Region$command:local:Command::check` → `command:local:Command`. */
function typeOf(urn: string): string {
  return urn.split('::')[2]?.split('$').at(-1) ?? '';
}

function nameOf(urn: string): string {
  return urn.split('::').slice(3).join('::');
}
