import { resolve } from 'node:path';
import type { Command } from 'commander';
import { demo } from '../demo.ts';
import type { Session } from '../session.ts';
import { defaults, newReportDir, seconds, wholeNumber } from './values.ts';

interface DemoFlags {
  seconds: number;
  rate: number;
  keep?: boolean;
  json?: boolean;
  report?: string;
}

/** `kbf demo`. */
export function addDemo(program: Command, session: Session): void {
  program.command('demo')
    .description('everything once, on a sandbox of its own: clusters, program, failover drill, report')
    .option('--seconds <n>', 'how long the load lasts', seconds(defaults.leastSeconds), defaults.seconds)
    .option('--rate <n>', 'records per second', wholeNumber(1), defaults.rate)
    .option('--keep', 'leave the sandbox running afterwards')
    .option('--report <dir>', 'where the report goes: report.html, report.json, report.md, junit.xml (default: a new directory under the state directory)')
    .option('--json', 'the report on standard output, progress on standard error')
    .action(async ({ seconds: length, rate, keep = false, json = false, report }: DemoFlags) => {
      const modules = await session.here.modules();
      const result = await demo({
        seconds: length, rate, keep, stateDir: resolve(session.stateDir), signal: session.signal,
        reportDir: resolve(report ?? newReportDir(session.stateDir, 'demo')), progress: session.progress(json), work: session.work,
      }, modules);
      session.answer(json, result.report, () => '');
      session.exitCode = result.exitCode;
    });
}
