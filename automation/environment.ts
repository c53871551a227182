import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { LocalWorkspace, Stack } from '@pulumi/pulumi/automation/index.js';
import type { EngineEvent, OutputMap } from '@pulumi/pulumi/automation/index.js';
import { UserError } from '../errors.ts';
import { skipVariable } from '../components/skipped.ts';
import type { Configuration } from '../config/schema.ts';
import { ownHome, ownState, refuseSecondState } from './backend.ts';
import { configurationOf } from './configuration.ts';
import type { DrillOptions, DrillResult } from './drill/index.ts';
import { EngineReader } from './engineEvents.ts';
import type { EngineProgress } from './engineEvents.ts';
import { EngineStop } from './engineStop.ts';
import { located } from './options.ts';
import type { EnvironmentOptions } from './options.ts';
import { OrphanFile, orphansOf } from './orphans.ts';
import type { Orphan } from './orphans.ts';
import { maskOutputs } from './maskedOutputs.ts';
import { keptPassphrase, stackPassphrase } from './passphrase.ts';
import { openProject, settingsFile, stackName } from './project.ts';
import type { Project } from './project.ts';
import { commandFailure, openPulumi } from './pulumiCli.ts';
import type { Choices } from './reach.ts';
import { settle, unlock } from './recovery.ts';
import type { Refresh } from './recovery.ts';
import { makeScratch, scratchIn } from './scratch.ts';
import { prepareState } from './prepareState.ts';
import { isThere, readState } from './stackState.ts';
import type { StackFiles } from './stackState.ts';
import { survey } from './survey.ts';

export type { EnvironmentOptions } from './options.ts';

/** What can be given to every operation. */
export interface OperationOptions extends Choices {
  /** Ends the operation: the engine finishes what is in flight, begins nothing new and gives the stack back unlocked. */
  signal?: AbortSignal;
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

/** One stack of the program, and the operations on it. */
export class Environment {
  readonly stack: string;
  readonly #project: Project;
  readonly #workspace: LocalWorkspace;
  /** Present where state is in files. */
  readonly #files: StackFiles | undefined;
  /** Where operations have their temporary files. */
  readonly #scratch: string;
  readonly #orphans: OrphanFile;
  /** Where drills keep their journal. */
  readonly #drills: string;
  /** The settings, for the program of this package: another's are its own affair. */
  readonly #settings: () => Promise<Configuration | undefined>;

  private constructor(o: { project: Project; workspace: LocalWorkspace; files: StackFiles | undefined; stateDir: string; settings: () => Promise<Configuration | undefined> }) {
    this.stack = o.project.stack;
    this.#project = o.project;
    this.#workspace = o.workspace;
    this.#files = o.files;
    this.#scratch = scratchIn(o.stateDir);
    this.#orphans = new OrphanFile(join(o.stateDir, 'orphans', `${o.project.stack}.json`));
    this.#drills = join(o.stateDir, 'drill', o.project.stack);
    this.#settings = o.settings;
  }

  /** Finds settings, state and Pulumi itself. Nothing is contacted yet. */
  static async open(o: EnvironmentOptions): Promise<Environment> {
    const { stack, stateDir, ...source } = located(o);
    await refuseSecondState(o);
    const project = await openProject({
      ...source, stack,
      directory: join(stateDir, 'projects', stack),
      settings: { ...(o.kubeconfig === undefined ? {} : { kubeconfig: resolve(o.kubeconfig) }), ...o.settings },
    });
    const passphrase = o.passphraseFile === undefined
      ? await stackPassphrase({ stack, settings: project.settings, backend: project.backend, env: process.env })
      : await keptPassphrase(o.passphraseFile);
    const state = ownState({ stateDir, ownBackend: o.ownBackend, hasBackend: project.backend !== undefined });
    const workspace = await LocalWorkspace.create({
      workDir: project.directory,
      pulumiCommand: await openPulumi(o.pulumiBin),
      // The CLI makes a stack with a passphrase unless it is told, and then strikes out what its settings say. A sandbox's has one.
      ...(project.settings.secretsprovider === undefined || o.passphraseFile !== undefined ? {} : { secretsProvider: project.settings.secretsprovider }),
      envVars: {
        PULUMI_SKIP_UPDATE_CHECK: 'true',
        // Read by the Kubernetes provider itself: what others have written is overwritten only where an object says so.
        PULUMI_K8S_ENABLE_PATCH_FORCE: 'false',
        // The language host takes the first Node.js on PATH, which may be too old for the program.
        PATH: [dirname(process.execPath), ...o.plugins ?? [], process.env['PATH'] ?? ''].join(delimiter),
        // A package among the dependencies is no reason to download its plugin: Google Cloud's is large, and few settings use it.
        PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL: process.env['PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL'] ?? 'true',
        ...(o.plugins === undefined ? {} : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true' }),
        ...(o.kubeconfig === undefined ? {} : { KUBECONFIG: resolve(o.kubeconfig) }),
        ...(passphrase === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE: passphrase }),
        ...(state === undefined ? {} : await fileBackend(stateDir, state)),
      },
    });
    maskOutputs(workspace);
    const files = state === undefined ? undefined : { state, project: project.name, stack: stackName(stack) };
    const settings = async (): Promise<Configuration | undefined> => (o.program === undefined ? await configurationOf(o, 'checked') : undefined);
    return new Environment({ project, workspace, files, stateDir, settings });
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
      return { ...engine.result(), orphans: orphansOf(await this.#orphans.read()), orphanFile: this.#orphans.path };
    });
  }

  /** What the last `up` exported; a secret value is given as `[secret]`. */
  async outputs(): Promise<Record<string, unknown>> {
    const { stack } = await this.#select();
    return plain(await stack.outputs());
  }

  /**
   * One drill on what the last `up` made; nothing is injected where the stack cannot be drilled. The journal of its faults lies with the state.
   * @throws UserError as `runDrill` does; everything else that goes wrong is a verdict
   */
  async drill(o: Omit<DrillOptions, 'outputs' | 'environment' | 'kubeconfig' | 'stateDir'>): Promise<DrillResult> {
    const settings = await this.#settings();
    if (settings === undefined) {
      throw new UserError(`The settings of stack ${this.stack} are another program's: they name no kubeconfig by which a drill could reach its clusters.`, { exitCode: 2, remedy: 'Drill a stack of this program.' });
    }
    const [{ runDrill }, { drillKubeconfig }] = await Promise.all([import('./drill/index.ts'), import('./drillKubeconfig.ts')]);
    const outputs = await this.outputs();
    await using kubeconfig = await drillKubeconfig(settings, this.#scratch);
    return await runDrill({ ...o, outputs, environment: `stack ${this.stack}`, kubeconfig: kubeconfig.path, stateDir: this.#drills });
  }

  /** An operation on a stack that is not locked, in which nothing is left half made, and whose clusters answer. */
  async #operate<T>(what: Operation, o: OperationOptions, run: (stack: Stack, engine: EngineCall) => Promise<T>): Promise<T> {
    o.signal?.throwIfAborted();
    const notice = (text: string): void => { o.onEvent?.({ kind: 'notice', text }); };
    (await unlock(this.#files)).forEach(notice);
    return await this.#withScratch(async () => {
      const runsProgram = what === 'up' || what === 'preview';
      const configuration = runsProgram ? await this.#settings() : undefined;
      const { stack, isNew } = await this.#select(runsProgram);
      await using lent = new AsyncDisposableStack();
      if (what === 'preview' && isNew) {
        notice(`stack ${this.stack} does not exist yet: it is made for this preview, and removed again`);
        lent.defer(() => this.#removeAgain(notice));
      }
      const before = await readState(this.#files, stack);
      const found = await survey(what, { configuration, state: before, program: this.#project.program, orphans: await this.#orphans.read() }, o);
      if (found.skipped.length > 0) notice(`skipped: ${found.skipped.join(', ')}; what is there stays as it is, and is given as it was last known`);
      if (what !== 'preview') {
        const refresh = this.#refreshing(stack, o);
        (await settle(before, { files: this.#files, stack }, (state) => found.excluded(state), refresh)).forEach(notice);
        await prepareState({ stack, files: this.#files, orphans: this.#orphans }, { ...found, isLast: what === 'destroy', notice, refresh });
      }
      const exclude = found.skipped.length === 0 ? [] : found.excluded(await readState(this.#files, stack));
      o.signal?.throwIfAborted();
      this.#workspace.envVars[skipVariable] = found.skipped.join(',');
      return await this.#watch(what, o, (engine) => run(stack, { ...engine, ...(exclude.length > 0 ? { exclude } : {}) }));
    });
  }

  /** A look at some objects before the operation itself, of which nothing is told but what goes wrong. */
  #refreshing(stack: Stack, o: OperationOptions): Refresh {
    const onEvent = (event: EngineProgress): void => { if (event.kind === 'message' || event.kind === 'notice') o.onEvent?.(event); };
    return (which) => this.#watch('refresh', { ...o, onEvent }, (engine) => stack.refresh({ ...engine, ...which }));
  }

  /** Runs the engine, listens to it, passes an abort on to it and says why it failed. */
  async #watch<T>(what: Operation, o: OperationOptions, run: (engine: EngineCall) => Promise<T>): Promise<T> {
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
      if (o.signal?.aborted === true) for (const text of await unlock(this.#files)) o.onEvent?.({ kind: 'notice', text });
      o.signal?.throwIfAborted();
      throw new UserError(`${what} of stack ${this.stack} failed.\n${reader.failure() ?? commandFailure(error)}`, { cause: error });
    } finally {
      stop.dispose();
    }
  }

  /** Has the engine and its plugins keep their temporary files in a directory that is removed afterwards. */
  async #withScratch<T>(run: () => Promise<T>): Promise<T> {
    await using scratch = await makeScratch(this.#scratch);
    const { envVars } = this.#workspace;
    envVars['TMPDIR'] = scratch.path;
    try {
      return await run();
    } finally {
      delete envVars['TMPDIR'];
    }
  }

  /** Takes away what only a preview needed. A stack that somebody has filled meanwhile stays, and so do its settings, with the salt of its passphrase. */
  async #removeAgain(notice: (text: string) => void): Promise<void> {
    await this.#workspace.removeStack(this.stack, { preserveConfig: true }).catch((error: unknown) => {
      notice(`stack ${this.stack}, which was made for this preview, could not be removed again: ${commandFailure(error)}; if nobody uses it: pulumi stack rm --preserve-config ${this.stack}`);
    });
  }

  /** @param make where it does not exist; `isNew` is true then */
  async #select(make = false): Promise<{ stack: Stack; isNew: boolean }> {
    let isNew = false;
    // Every call of the CLI names its stack: selecting one that is there says nothing to it, and takes a start of it.
    if (isThere(this.#files)) this.#workspace.selectStack = () => Promise.resolve();
    try {
      const stack = await Stack.select(this.stack, this.#workspace).catch(async (error: unknown) => {
        if (!make || !isNotFound(error)) throw error;
        isNew = true;
        return await Stack.create(this.stack, this.#workspace);
      });
      // The engine's events have said it; the Automation API would start the CLI once more to read it in the history.
      stack.info = () => Promise.resolve(undefined);
      return { stack, isNew };
    } catch (error) {
      if (isNotFound(error)) {
        throw new UserError(`Stack ${this.stack} does not exist: nothing was ever set up with ${join(this.#project.directory, settingsFile(this.stack))}.`, {
          exitCode: 2, remedy: '`kbf up` makes it.', cause: error,
        });
      }
      throw new UserError(`Stack ${this.stack} cannot be opened.\n${commandFailure(error)}`, { cause: error });
    }
  }
}

type Operation = 'up' | 'preview' | 'refresh' | 'destroy';

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

function isNotFound(error: unknown): boolean {
  return (error as Error).name === 'StackNotFoundError';
}

/** State in files, and with it a home of its own. */
async function fileBackend(stateDir: string, state: string): Promise<Record<string, string>> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  return { PULUMI_BACKEND_URL: `file://${state}`, PULUMI_HOME: process.env['PULUMI_HOME'] ?? ownHome(stateDir) };
}

function plain(outputs: OutputMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).map(([name, { value, secret }]) => [name, secret ? '[secret]' : (value as unknown)]));
}

function counts(changes: object): Record<string, number> {
  return Object.fromEntries(Object.entries(changes).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
