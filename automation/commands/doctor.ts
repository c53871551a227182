import { join } from 'node:path';
import type { Command } from 'commander';
import { type Finding, linesOf } from '../doctor/finding.ts';
import { hasSandbox } from '../sandboxes.ts';
import type { Session } from '../session.ts';
import type { Target, TargetFlags } from './target.ts';
import { addTargetOptions, findTarget, isOnSandbox, settingsOf } from './target.ts';

/** `kbf doctor`. */
export function addDoctor(program: Command, session: Session): void {
  addTargetOptions(program.command('doctor').description('says what is missing or wrong on this machine and in the clusters, and changes nothing'))
    .option('--json', 'all findings as a JSON document')
    .action(async ({ json = false, ...flags }: TargetFlags & { json?: boolean }) => {
      const target = await lookedAt(session, flags);
      const progress = session.progress(json);
      progress.update('doctor', () => `asking the clusters of ${target.name}`);
      const findings = await session.work({ operation: 'doctor', environment: target.environment, isSandbox: target.isSandbox }, { ...target.worker, signal: session.signal }) as Finding[];
      session.signal.throwIfAborted();
      progress.done('doctor');
      const counts = { ok: 0, warning: 0, fault: 0, unchecked: 0 };
      for (const { verdict } of findings) counts[verdict] += 1;
      session.answer(json, { target: target.name, counts, findings }, () => [
        ...linesOf(findings),
        `${target.name}: ${String(counts.ok)} ok, ${String(counts.warning)} ${counts.warning === 1 ? 'warning' : 'warnings'}, ${String(counts.fault)} ${counts.fault === 1 ? 'fault' : 'faults'}, ${String(counts.unchecked)} not checked`,
      ].join('\n'));
      if (counts.fault > 0) session.exitCode = 1;
    });
}

/** What a look needs of its target: for a stack neither a passphrase nor tools that would have to be fetched first. */
async function lookedAt(session: Session, flags: TargetFlags): Promise<Pick<Target, 'name' | 'isSandbox' | 'environment' | 'worker'>> {
  if (isOnSandbox(flags)) return await findTarget(session, flags);
  const environment = settingsOf(session, flags);
  const pulumi = hasSandbox() ? (await (await session.here.modules()).listTools()).find(({ name }) => name === 'pulumi') : undefined;
  const isThere = pulumi !== undefined && !('missing' in pulumi);
  return { name: `stack ${environment.stack}`, isSandbox: false, worker: {}, environment: { ...environment, ...(isThere ? { pulumiBin: join(pulumi.home, 'bin') } : {}) } };
}
