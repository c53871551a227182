import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../errors.ts';
import type { DrillEvent, DrillResult } from '../drill/index.ts';
import { pageOf } from '../drill/show/index.ts';
import { renderTable } from '../drill/table.ts';
import { showDrill } from '../live.ts';
import type { Session } from '../session.ts';
import { addLoadOptions, loadOf } from './load-options.ts';
import type { LoadFlags } from './load-options.ts';
import { defaults, newReportDir, seconds, wholeNumber } from './values.ts';
import { addTargetOptions, findTarget } from './target.ts';
import type { TargetFlags } from './target.ts';

type Flags = TargetFlags & LoadFlags & { fault: typeof defaults.fault; region?: string; rate: number; duration: number; report?: string; json?: boolean };

/** `kbf drill`. */
export function addDrill(program: Command, session: Session): void {
  addLoadOptions(addTargetOptions(program.command('drill').description('breaks something under load and measures what it cost')))
    .addOption(program.createOption('--fault <name>', 'what to break').choices([defaults.fault]).default(defaults.fault))
    .option('--region <name>', 'where to break it (default: the first region)')
    .option('--rate <n>', 'records per second', wholeNumber(1), defaults.rate)
    .option('--duration <time>', 'how long the load lasts', seconds(defaults.leastSeconds), defaults.seconds)
    .option('--report <dir>', 'where the report goes: report.html, report.json, report.md, junit.xml (default: a new directory under the state directory)')
    .option('--json', 'the report on standard output, progress on standard error')
    .action(async (flags: Flags) => { await drill(session, flags); });
}

async function drill(session: Session, flags: Flags): Promise<void> {
  const json = flags.json === true;
  const reportDir = resolve(flags.report ?? newReportDir(session.stateDir, flags.fault));
  if (existsSync(join(reportDir, 'report.json'))) {
    throw new UserError(`${reportDir} already holds a report.`, { exitCode: 2, remedy: 'Name another directory with --report.' });
  }
  const target = await findTarget(session, flags);
  const worker = { ...target.worker, signal: session.signal };
  const outputs = await session.work({ operation: 'outputs', environment: target.environment }, worker);
  const onDrill = showDrill(session.progress(json));
  const { report, exitCode } = await session.work({
    operation: 'drill',
    drill: {
      outputs, environment: target.name, kubeconfig: await target.kubeconfig(), stateDir: target.drillDir, reportDir,
      fault: flags.fault, rate: flags.rate, durationSeconds: flags.duration,
      ...(flags.region === undefined ? {} : { region: flags.region }), ...loadOf(flags),
      ...(target.sandbox === undefined ? {} : { parts: await target.sandbox.parts() }),
    },
  }, { ...worker, onEvent: (event) => { onDrill(event as DrillEvent); } }) as DrillResult;
  session.answer(json, report, () => `${renderTable(report)}\n${pageOf(reportDir)}`);
  session.exitCode = exitCode;
}
