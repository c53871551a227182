import { join } from 'node:path';
import type { EngineEvent, LocalWorkspace, OutputMap, Stack } from '@pulumi/pulumi/automation/index.js';
import { UserError } from '../errors.ts';
import { skipVariable } from '../components/skipped.ts';
import { ownState, refuseSecondState } from './backend.ts';
import { configurationIn, configurationOf, unseenSettings } from './configuration.ts';
import type { DrillOptions, DrillResult } from './drill/index.ts';
import { EngineReader } from './engineEvents.ts';
import type { EngineProgress } from './engineEvents.ts';
import { EngineStop } from './engineStop.ts';
import { refuseHalfInstalled } from './halfInstalled.ts';
import { heard } from './listener.ts';
import { maskedOutputs } from './maskedOutputs.ts';
import { openStack, removeAgain } from './openStack.ts';
import { runsProgram } from './operation.ts';
import type { Operation } from './operation.ts';
import { located } from './options.ts';
import type { EnvironmentOptions, Located } from './options.ts';
import { OrphanFile, orphansOf } from './orphans.ts';
import type { Orphan } from './orphans.ts';
import { keptDirectory, openDirectory, openProject, sourceFile, stackName } from './project.ts';
import type { Project } from './project.ts';
import { commandFailure, isLocked } from './pulumiCli.ts';
import type { Choices } from './reach.ts';
import { Protection } from './protection.ts';
import { settle, unlock } from './recovery.ts';
import type { Refresh } from './recovery.ts';
import { makeScratch, scratchIn } from './scratch.ts';
import { prepareState } from './prepareState.ts';
import { rememberedAt } from './remembered.ts';
import { readState } from './stackState.ts';
import type { StackFiles } from './stackState.ts';
import { whyStuck } from './stuckNamespaces.ts';
import { survey } from './survey.ts';
import { workspacesOf } from './workspace.ts';
import type { OpenWorkspace } from './workspace.ts';

export { ConfigurationError } from '../config/problems.ts';
export { UserError } from '../errors.ts';
export type { Problem } from '../config/problems.ts';
export type { ErrorCode } from '../errors.ts';
export type { DrillEvent, DrillOptions, DrillResult, Report } from './drill/index.ts';
export type { EngineProgress } from './engineEvents.ts';
export type { EnvironmentOptions } from './options.ts';
export type { Orphan } from './orphans.ts';
export type { Choices } from './reach.ts';

/** What can be given to every operation on the stack. */
export interface OperationOptions extends Choices {
  /** Ends the operation: the engine finishes what is in flight, begins nothing new and gives the stack back unlocked. */
  signal?: AbortSignal;
  /** What it throws is never the operation's failure: it is told nothing more, and the process warns of it. */
  onEvent?: (event: EngineProgress) => void;
}

/** What an operation did. */
export interface OperationResult {
  /** Objects by what was done to them: `{create: 12, same: 3}`. */
  changes: Record<string, number>;
  durationMs: number;
}

/** What was left behind in clusters that did not answer, now or before. */
export interface LeftBehind {
  orphans: Orphan[];
  /** Where they are remembered; the next `up` or `destroy` takes them up again once their cluster answers. */
  orphanFile: string;
}

/**
 * One stack of the program, and the operations on it. Operations at once do not disturb one another: each has its variables, its temporary files and the
 * settings that it checked for itself. Of those that change the stack at most one at a time gets it; another rejects, with the code `locked`.
 */
export class Environment {
  readonly stack: string;
  readonly #options: EnvironmentOptions;
  readonly #located: Located;
  readonly #project: Project;
  readonly #openWorkspace: OpenWorkspace;
  /** Present where state is in files. */
  readonly #files: StackFiles | undefined;

  private constructor(o: EnvironmentOptions, project: Project, files: StackFiles | undefined, openWorkspace: OpenWorkspace) {
    this.stack = project.stack;
    this.#options = o;
    this.#located = located(o);
    this.#project = project;
    this.#openWorkspace = openWorkspace;
    this.#files = files;
  }

  /** Finds settings, state and Pulumi itself. Nothing is contacted yet. */
  static async open(o: EnvironmentOptions): Promise<Environment> {
    const source = located(o);
    await refuseSecondState(o);
    const project = await openProject(source);
    const state = ownState({ stateDir: source.stateDir, ownBackend: o.ownBackend, hasBackend: project.backend !== undefined });
    const files = state === undefined ? undefined : { state, project: project.name, stack: stackName(project.stack) };
    return new Environment(o, project, files, await workspacesOf(o, project, state));
  }

  /** Brings the clusters to what the settings say. */
  async up(o: OperationOptions = {}): Promise<OperationResult & { outputs: Record<string, unknown> }> {
    return await this.#operate('up', o, async (stack, engine) => {
      const { outputs } = await stack.up(engine);
      return { ...engine.result(), outputs: plain(outputs) };
    });
  }

  /** Says what `up` would do. A stack that does not exist is there for so long as this takes. */
  async preview(o: OperationOptions = {}): Promise<Pick<OperationResult, 'changes'>> {
    return await this.#operate('preview', o, async (stack, engine) => ({ changes: counts((await stack.preview(engine)).changeSummary) }));
  }

  /** Reads every object from its cluster into the state. */
  async refresh(o: OperationOptions = {}): Promise<OperationResult> {
    return await this.#operate('refresh', o, async (stack, engine) => {
      await stack.refresh(engine);
      return engine.result();
    });
  }

  /** Removes every object that the program made; the stack stays, empty. */
  async destroy(o: OperationOptions = {}): Promise<OperationResult & LeftBehind> {
    return await this.#operate('destroy', o, async (stack, engine) => {
      await stack.destroy(engine);
      const orphans = this.#orphans();
      return { ...engine.result(), orphans: orphansOf(await orphans.read()), orphanFile: orphans.path };
    });
  }

  /** What the last `up` exported; a secret value is given as `[secret]`. */
  async outputs({ signal }: Pick<OperationOptions, 'signal'> = {}): Promise<Record<string, unknown>> {
    signal?.throwIfAborted();
    await using own = await this.#own();
    await this.#open(own.workspace, false);
    try {
      return plain(await maskedOutputs(own.workspace, this.stack, signal));
    } catch (error) {
      throw new UserError(`The outputs of stack ${this.stack} cannot be read.\n${commandFailure(error)}`, { cause: error });
    } finally {
      signal?.throwIfAborted();
    }
  }

  /**
   * One drill on what the last `up` made; nothing is injected where the stack cannot be drilled. The journal of its faults lies with the state.
   * Rejects and resolves as `runDrill` does.
   */
  async drill(o: Omit<DrillOptions, 'outputs' | 'environment' | 'kubeconfig' | 'stateDir'>): Promise<DrillResult> {
    o.signal?.throwIfAborted();
    if (!this.#isOwnProgram) {
      throw new UserError(`The settings of stack ${this.stack} are another program's: they name no kubeconfig by which a drill could reach its clusters.`, { exitCode: 2, remedy: 'Drill a stack of this program.' });
    }
    const settings = await configurationOf(this.#options, 'checked');
    const [{ runDrill }, { drillKubeconfig }] = await Promise.all([import('./drill/index.ts'), import('./drillKubeconfig.ts')]);
    const outputs = await this.outputs(o);
    const { stateDir } = this.#located;
    await using kubeconfig = await drillKubeconfig(settings, scratchIn(stateDir));
    return await runDrill({ ...o, outputs, environment: `stack ${this.stack}`, kubeconfig: kubeconfig.path, stateDir: rememberedAt(join(stateDir, 'drill'), this.stack) });
  }

  /** An operation on a stack that is not locked, in which nothing is left half made, and whose clusters answer. */
  async #operate<T>(what: Operation, given: OperationOptions, run: (stack: Stack, engine: EngineCall) => Promise<T>): Promise<T> {
    const o = { ...given, onEvent: heard(given.onEvent) };
    o.signal?.throwIfAborted();
    const orphans = this.#orphans();
    const notice = (text: string): void => { o.onEvent({ kind: 'notice', text }); };
    (await unlock(this.#files)).forEach(notice);
    await using own = await this.#own();
    const { directory, workspace } = own;
    // Another program's settings are its own affair.
    const looks = runsProgram(what) && this.#isOwnProgram;
    const configuration = looks ? await configurationIn(directory, this.#located) : undefined;
    const unseen = looks ? await unseenSettings(this.#options) : undefined;
    if (unseen !== undefined) notice(`${unseen}: clusters are asked before by the settings of the file`);
    const { stack, isNew } = await this.#open(workspace, runsProgram(what));
    await using lent = new AsyncDisposableStack();
    let isOver = false;
    if (what === 'preview' && isNew) {
      notice(`stack ${this.stack} does not exist yet: it is made for this preview, and removed again`);
      lent.defer(() => removeAgain(workspace, this.stack, notice));
    }
    const before = await readState(this.#files, stack);
    const found = await survey(what, { configuration, state: before, program: this.#project.program, orphans: await orphans.read() }, o);
    o.signal?.throwIfAborted();
    if (found.skipped.length > 0) notice(`skipped: ${found.skipped.join(', ')}; what is there stays as it is, and is given as it was last known`);
    if (what !== 'preview') {
      const refresh = this.#refreshing(stack, o);
      const settled = await settle(before, { files: this.#files, stack }, (state) => found.excluded(state), refresh);
      settled.lines.forEach(notice);
      if (what === 'up') refuseHalfInstalled(settled.halfInstalled);
      const stored = { stack, files: this.#files, orphans };
      const protection = what === 'destroy' ? new Protection() : undefined;
      lent.defer(async () => {
        const off = isOver ? undefined : await protection?.giveBack(stored);
        if (off !== undefined) notice(off);
      });
      await prepareState(stored, { ...found, protection, notice, refresh });
    }
    const exclude = found.skipped.length === 0 ? [] : found.excluded(await readState(this.#files, stack));
    o.signal?.throwIfAborted();
    workspace.envVars[skipVariable] = found.skipped.join(',');
    const result = await this.#watch(what, stack, o, (engine) => run(stack, { ...engine, ...(exclude.length > 0 ? { exclude } : {}) }));
    isOver = true;
    return result;
  }

  /** A look at some objects before the operation itself, of which nothing is told but what goes wrong. */
  #refreshing(stack: Stack, o: OperationOptions): Refresh {
    const onEvent = (event: EngineProgress): void => { if (event.kind === 'message' || event.kind === 'notice') o.onEvent?.(event); };
    return (which) => this.#watch('refresh', stack, { ...o, onEvent }, (engine) => stack.refresh({ ...engine, ...which }));
  }

  /** Runs the engine, listens to it, passes an abort on to it and says why it failed. */
  async #watch<T>(what: Operation, stack: Stack, o: OperationOptions, run: (engine: EngineCall) => Promise<T>): Promise<T> {
    const reader = new EngineReader();
    const startedAt = performance.now();
    let changes = {};
    const stop = new EngineStop(o.signal);
    try {
      return await run({
        color: 'never',
        signal: stop.signal,
        result: () => ({ changes: counts(changes), durationMs: Math.round(performance.now() - startedAt) }),
        onEvent(event) {
          stop.engineSpoke();
          if (event.summaryEvent) changes = event.summaryEvent.resourceChanges;
          const progress = reader.read(event);
          if (progress) o.onEvent?.(progress);
        },
      });
    } catch (error) {
      // An engine that was told to stop before it could listen is dead and has left its lock.
      if (o.signal?.aborted === true) for (const text of await unlock(this.#files).catch(() => [])) o.onEvent?.({ kind: 'notice', text });
      o.signal?.throwIfAborted();
      const stuck = reader.stuck.length === 0 ? [] : await readState(this.#files, stack).then((state) => whyStuck(reader.stuck, state, this.#project.program), () => []);
      const said = [reader.failure() ?? commandFailure(error), ...stuck].join('\n');
      throw new UserError(`${what} of stack ${this.stack} failed.\n${said}`, { ...(isLocked(said) ? { code: 'locked' } : {}), cause: error });
    } finally {
      stop.dispose();
    }
  }

  /** What an operation has for itself, and is gone after it. */
  async #own(): Promise<Own> {
    await using made = new AsyncDisposableStack();
    const { stateDir } = this.#located;
    // The engine and its plugins have their temporary files there.
    const { path: scratch } = made.use(await makeScratch(scratchIn(stateDir)));
    const { path: directory } = made.use(await openDirectory(this.#located, { scratch, kept: keptDirectory(stateDir, this.stack) }));
    const workspace = await this.#openWorkspace(directory, scratch);
    const all = made.move();
    return { directory, workspace, [Symbol.asyncDispose]: () => all.disposeAsync() };
  }

  async #open(workspace: LocalWorkspace, make: boolean): Promise<{ stack: Stack; isNew: boolean }> {
    return await openStack(workspace, { name: this.stack, files: this.#files, source: sourceFile(this.#located), make });
  }

  #orphans(): OrphanFile {
    return new OrphanFile(rememberedAt(join(this.#located.stateDir, 'orphans'), this.stack, '.json'));
  }

  get #isOwnProgram(): boolean {
    return this.#options.program === undefined;
  }
}

interface Own extends AsyncDisposable {
  /** Where its settings are. */
  readonly directory: string;
  readonly workspace: LocalWorkspace;
}

/** What each call of the Automation API gets. */
interface EngineCall {
  color: 'never';
  signal: AbortSignal;
  onEvent: (event: EngineEvent) => void;
  /** URNs that are left alone. */
  exclude?: string[];
  /** What the engine itself summed up at its end. */
  result: () => OperationResult;
}

function plain(outputs: OutputMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).map(([name, { value, secret }]) => [name, secret ? '[secret]' : (value as unknown)]));
}

function counts(changes: object): Record<string, number> {
  return Object.fromEntries(Object.entries(changes).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
