import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../errors.ts';
import type { DrillEvent, DrillOptions, DrillResult } from '../drill/index.ts';
import { faultNames } from '../drill/faults/names.ts';
import type { RepeatResult } from '../drill/repeat.ts';
import { pageOf, seriesPageOf } from '../drill/show/page.ts';
import { renderTable } from '../drill/table.ts';
import { showDrill } from '../live.ts';
import type { Session } from '../session.ts';
import { addLoadOptions, loadOf } from './drill-load.ts';
import type { LoadFlags } from './drill-load.ts';
import { defaults, newReportDir, percent, seconds, several, wholeNumber } from './values.ts';
import { addTargetOptions, findTargetWithState } from './target.ts';
import type { TargetFlags } from './target.ts';

interface Flags extends TargetFlags, LoadFlags {
  fault?: string;
  region?: string;
  plan?: string;
  duration: number;
  objective?: string[];
  objectives?: string;
  abortAfterErrors?: number;
  repeat?: number;
  seed?: number;
  selfTest?: boolean;
  report?: string;
  json?: boolean;
}

/** `kbf drill`. What only a drill needs is loaded by its action: every command waits for this file. */
export function addDrill(program: Command, session: Session): void {
  const command = addTargetOptions(program.command('drill').description('breaks something under load and measures what it cost'))
    .addOption(program.createOption('--fault <name>', `what to break: kbf faults list (default: ${defaults.fault})`).choices(faultNames))
    .option('--region <name>', 'where to break it (default: the first region that serves)')
    .option('--plan <file>', 'several faults in turn, and what is expected of them, from a YAML file')
    .addOption(program.createOption('--duration <time>', 'how long the load lasts, such as 30s or 2m').argParser(seconds(defaults.leastSeconds)).default(defaults.seconds, `${defaults.seconds}s`));
  addLoadOptions(command)
    .option('--objective <expression>', 'what has to hold besides, such as \'produce.blackoutMs<=100\'; may be given several times', several)
    .option('--objectives <file>', 'a list of them, YAML or JSON')
    .option('--abort-after-errors <share>', 'end at once when more than this of the records of 10 s are not ok (default: 50%)', percent)
    .option('--repeat <n>', 'so many drills one after the other, with repeat.html over them; a series that was interrupted goes on when it is begun again with the same --report', wholeNumber(1))
    .option('--seed <n>', 'whatever is left to chance follows from it (default: drawn; with --repeat 1, 2 and so on, with --self-test 1)', wholeNumber(0))
    .option('--self-test', 'no drill: shows in seconds that the verdict finds damage where there is some, and none where there is none')
    .option('--report <dir>', 'where the report goes: report.html, report.json, report.md, junit.xml (default: a new directory under the state directory)')
    .option('--json', 'the report on standard output, progress on standard error')
    .action(async (flags: Flags) => {
      if (flags.selfTest !== true) return await drill(session, flags);
      refuseWithSelfTest(command);
      await showSelfTest(session, flags);
    });
}

/** It runs no drill, so that whoever says how one is to be has mistaken it for one. */
function refuseWithSelfTest(command: Command): void {
  const others = command.options.filter((option) => !['selfTest', 'seed', 'json'].includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli');
  if (others.length > 0) throw new UserError(`--self-test runs no drill, so that ${others.map(({ long }) => long).join(', ')} would be ignored.`, { exitCode: 2, remedy: 'Give --seed and --json with it, nothing else.' });
}

async function showSelfTest(session: Session, { seed, json }: Flags): Promise<void> {
  const { renderSelfTest, selfTest } = await import('../drill/self-test/index.ts');
  const result = selfTest(seed === undefined ? {} : { seed });
  session.answer(json === true, result, () => renderSelfTest(result));
  session.exitCode = result.passed ? 0 : 1;
}

async function drill(session: Session, flags: Flags): Promise<void> {
  const json = flags.json === true;
  const { repeat } = flags;
  const what = await whatOf(flags);
  const reportDir = resolve(flags.report ?? newReportDir(session.stateDir, flags.fault ?? (flags.plan === undefined ? defaults.fault : 'plan')));
  const { mustTakeReport } = await import('../drill/store.ts');
  mustTakeReport(reportDir, { series: repeat !== undefined });
  const target = await findTargetWithState(session, flags);
  const worker = { ...target.worker, signal: session.signal };
  const outputs = await session.work({ operation: 'outputs', environment: target.environment }, worker);
  const onDrill = showDrill(session.progress(json));
  const result = await session.work({
    operation: 'drill',
    drill: {
      ...what, outputs, environment: target.name, kubeconfig: target.kubeconfig, stateDir: target.drillDir, reportDir,
      ...(target.sandbox === undefined ? {} : { parts: await target.sandbox.parts() }),
    },
    ...(repeat === undefined ? {} : { repeat: { repeat, seed: flags.seed ?? 1 } }),
  }, { ...worker, onEvent: (event) => { onDrill(event as DrillEvent); } }) as DrillResult | RepeatResult;
  session.exitCode = result.exitCode;
  if ('summary' in result) {
    const { renderRepeat } = await import('../drill/repeat.ts');
    session.answer(json, result.summary, () => `${renderRepeat(result.summary)}\n${result.summary.runs.length === 0 ? '' : seriesPageOf(reportDir)}`);
  } else {
    session.answer(json, result.report, () => `${renderTable(result.report)}\n${pageOf(reportDir)}`);
  }
}

/** What the flags ask for. Files are read and values checked at once, so that what is wrong with them is told before a stack is looked for. */
async function whatOf(flags: Flags): Promise<Pick<DrillOptions, 'fault' | 'region' | 'steps' | 'rate' | 'durationSeconds' | 'connections' | 'load' | 'consumers' | 'objectives' | 'abortAfterErrors' | 'seed'>> {
  const { fault, region, plan, duration, abortAfterErrors, seed } = flags;
  if (plan !== undefined && fault !== undefined) throw new UserError('--plan and --fault both say what to break.', { exitCode: 2, remedy: 'Give one of them.' });
  const [{ readObjectives }, { refuse, wrongValues }, { readPlan }, { wrongSteps }] = await Promise.all([import('../drill/objective-text.ts'), import('../drill/option-values.ts'), import('../drill/plan-file.ts'), import('../drill/step-values.ts')]);
  const objectives = [...(flags.objectives === undefined ? [] : readObjectives(flags.objectives).map(({ text }) => text)), ...flags.objective ?? []];
  const what = {
    ...loadOf(flags), durationSeconds: duration,
    ...(plan === undefined ? { fault: fault ?? defaults.fault } : { steps: readPlan(plan) }),
    ...(region === undefined ? {} : { region }),
    ...(objectives.length === 0 ? {} : { objectives }),
    ...(abortAfterErrors === undefined ? {} : { abortAfterErrors }),
    ...(seed === undefined ? {} : { seed }),
  };
  refuse([...('steps' in what ? wrongSteps(what.steps) : []), ...wrongValues(what)]);
  return what;
}
