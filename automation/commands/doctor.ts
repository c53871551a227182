import type { Command } from 'commander';
import { type Finding, lineOf } from '../doctor/finding.ts';
import type { Session } from '../session.ts';
import type { TargetFlags } from './target.ts';
import { addTargetOptions, findTarget } from './target.ts';

/** `kbf doctor`. */
export function addDoctor(program: Command, session: Session): void {
  addTargetOptions(program.command('doctor').description('says what is missing or wrong on this machine and in the clusters, and changes nothing'))
    .option('--json', 'all findings as a JSON document')
    .action(async ({ json = false, ...flags }: TargetFlags & { json?: boolean }) => {
      const target = await findTarget(session, flags);
      const progress = session.progress(json);
      progress.update('doctor', () => `asking the clusters of ${target.name}`);
      const findings = await session.work({ operation: 'doctor', environment: target.environment, isSandbox: target.isSandbox }, { ...target.worker, signal: session.signal }) as Finding[];
      progress.done('doctor');
      const counts = { ok: 0, warning: 0, fault: 0, unchecked: 0 };
      for (const { verdict } of findings) counts[verdict] += 1;
      session.answer(json, { target: target.name, counts, findings }, () => [
        ...findings.map(lineOf),
        `${target.name}: ${String(counts.ok)} ok, ${String(counts.warning)} ${counts.warning === 1 ? 'warning' : 'warnings'}, ${String(counts.fault)} ${counts.fault === 1 ? 'fault' : 'faults'}, ${String(counts.unchecked)} not checked`,
      ].join('\n'));
      if (counts.fault > 0) session.exitCode = 1;
    });
}
