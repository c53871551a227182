import type { Command } from 'commander';
import { stringify } from 'yaml';
import { UserError } from '../../errors.ts';
import { configurationOf } from '../configuration.ts';
import type { EngineProgress } from '../engineEvents.ts';
import type { LeftBehind } from '../environment.ts';
import { showEngine } from '../live.ts';
import { runsProgram } from '../operation.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { addTargetOptions, findTargetWithState, isOnSandbox, settingsOf } from './target.ts';
import type { TargetFlags } from './target.ts';

type Flags = TargetFlags & { json?: boolean; yes?: boolean; skipRegion?: string[]; abandonUnreachable?: boolean; expectNoChanges?: boolean };

const operations: readonly [Operation, string][] = [
  ['up', 'brings the clusters to what the settings say'],
  ['preview', 'says what `up` would do'],
  ['refresh', 'reads every object from its cluster into the state'],
  ['destroy', 'removes every object that the program made'],
];

/** Exit code of a preview with `--expect-no-changes`. Not 1: one that could not be made says nothing about changes. */
const changesFound = 5;
/** What plain `pulumi preview --expect-no-changes` takes for no change. */
const unchanging: ReadonlySet<string> = new Set(['same', 'read', 'read-replacement', 'discard']);

/** `kbf up | preview | refresh | destroy | outputs`. */
export function addStack(program: Command, session: Session): void {
  for (const [operation, description] of operations) {
    const command = addTargetOptions(program.command(operation).description(description))
      .option('--json', 'the result as a JSON document, progress on standard error')
      .action(async (flags: Flags) => { await operate(session, operation, flags); });
    if (operation === 'destroy') {
      command.option('--yes', 'needed for clusters that are no sandbox')
        .option('--abandon-unreachable', 'go on without clusters that do not answer, and remember what is left there for a later run');
    } else {
      command.option('--skip-region <name>', 'leave a region as it is, because its cluster does not answer; may be repeated', (name: string, before: string[] = []) => [...before, name]);
    }
    if (operation === 'preview') command.option('--expect-no-changes', `exit code ${String(changesFound)} when anything would be created, updated, replaced or deleted`);
  }
  addTargetOptions(program.command('outputs').description('what the last `up` exported'))
    .option('--json', 'as a JSON document')
    .action(async (flags: Flags) => {
      const target = await findTargetWithState(session, flags);
      const outputs = await session.work({ operation: 'outputs', environment: target.environment }, { ...target.worker, signal: session.signal });
      session.signal.throwIfAborted();
      session.answer(flags.json === true, outputs, () => listing(outputs as Record<string, unknown>));
    });
}

async function operate(session: Session, operation: Operation, flags: Flags): Promise<void> {
  const json = flags.json === true;
  // Before a passphrase is asked for.
  if (runsProgram(operation) && !isOnSandbox(flags)) await configurationOf(settingsOf(session, flags), 'checked');
  const target = await findTargetWithState(session, flags);
  if (operation === 'destroy' && !target.isSandbox && flags.yes !== true) {
    throw new UserError(`destroy removes every object of stack ${target.name} from its clusters.`, { exitCode: 2, remedy: 'Say --yes if that is what you want.' });
  }
  const progress = session.progress(json);
  const engine = showEngine(progress);
  const changes: Change[] = [];
  const providers: string[] = [];
  const onEvent = (event: unknown): void => {
    engine.onEvent(event as EngineProgress);
    collect(changes, event as EngineProgress);
    collectProvider(providers, event as EngineProgress);
  };
  const { skipRegion: skipRegions = [], abandonUnreachable = false } = flags;
  const result = await session.work({ operation, environment: target.environment, choices: { skipRegions, abandonUnreachable } }, { ...target.worker, signal: session.signal, onEvent })
    .finally(() => { engine.finish(); }) as { changes: Record<string, number>; outputs?: Record<string, unknown> } & Partial<LeftBehind>;
  session.answer(json, { operation, ...result, resources: changes }, () => [
    ...(operation === 'preview' ? [...changes.map(({ op, component, type, name }) => `${op.padEnd(10)} ${type} ${name} (${component})`), ...providers] : []),
    `${operation} of ${target.name}: ${counted(result.changes)}`,
    ...(result.outputs === undefined ? [] : [listing(result.outputs)]),
    ...leftBehind(result),
  ].join('\n'));
  const pending = Object.fromEntries(Object.entries(result.changes).filter(([op]) => !unchanging.has(op)));
  if (flags.expectNoChanges !== true || Object.keys(pending).length === 0) return;
  session.here.stderr.write(`kbf: no changes were expected of ${target.name}, and \`up\` would make some: ${counted(pending)}\n`);
  session.exitCode = changesFound;
}

function counted(changes: Record<string, number>): string {
  return Object.entries(changes).map(([op, count]) => `${String(count)} ${op}`).join(', ');
}

/** What a destroy could not reach, object by object. */
function leftBehind({ orphans = [], orphanFile = '' }: Partial<LeftBehind>): string[] {
  if (orphans.length === 0) return [];
  const clusters = [...new Set(orphans.map(({ cluster }) => cluster))];
  return [
    `left behind in ${clusters.join(', ')}:`,
    ...orphans.map(({ cluster, apiVersion, kind, namespace, name }) => `  ${cluster.padEnd(12)} ${`${kind} (${apiVersion})`.padEnd(40)} ${namespace === undefined ? '' : `${namespace}/`}${name}`),
    `They are remembered in ${orphanFile}: the next destroy or up takes them up again once their cluster answers.`,
  ];
}

interface Change { op: string; type: string; name: string; component: string }

function collect(changes: Change[], event: EngineProgress): void {
  if (event.kind !== 'resource' || event.state !== 'done' || event.op === 'same') return;
  const { op, type, name, component } = event;
  changes.push({ op, type, name, component });
}

/** How a cluster is reached, say: `changes` counts these too. */
function collectProvider(providers: string[], event: EngineProgress): void {
  if (event.kind === 'provider' && event.op !== 'same') providers.push(`${event.op.padEnd(10)} ${event.of} provider ${event.name}`);
}

/** As YAML, which people read and tools can; what is empty is not worth a line. */
function listing(outputs: Record<string, unknown>): string {
  return stringify(Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== '')), { lineWidth: 0 }).trimEnd();
}
