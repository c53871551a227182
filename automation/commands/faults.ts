import type { Command } from 'commander';
import type { Healed } from '../drill/faults/journal.ts';
import type { Session } from '../session.ts';
import { addTargetOptions, findTarget } from './target.ts';
import type { TargetFlags } from './target.ts';

/** `kbf faults list|heal`. The faults are loaded by the actions: every command waits for this file. */
export function addFaults(program: Command, session: Session): void {
  const command = program.command('faults').description('what a drill can break, and the end of what one left');
  command.command('list').description('every fault: what it does, whom it reaches, what it needs')
    .option('--json', 'as a JSON document')
    .action(async ({ json }: { json?: boolean }) => {
      const { faults } = await import('../drill/faults/index.ts');
      const all = Object.values(faults).map(({ name, blastRadius, needs, ends }) => ({ name, blastRadius, needs, ends }));
      session.answer(json === true, all, () => all.map(({ name, blastRadius, needs, ends }) =>
        [name, `  does   ${blastRadius}`, `  needs  ${needs}`, `  ends   ${endings[ends]}`].join('\n')).join('\n'));
    });
  addTargetOptions(command.command('heal').description('undoes what a drill left that was killed; safe to repeat'))
    .option('--json', 'what was healed as a JSON document')
    .action(async (flags: TargetFlags & { json?: boolean }) => {
      const { sentenceOf } = await import('../drill/faults/journal.ts');
      const target = await findTarget(session, flags);
      const healed = await session.work({ operation: 'heal', leftovers: { stateDir: target.drillDir, kubeconfig: target.kubeconfig } }, { ...target.worker, signal: session.signal }) as Healed[];
      session.answer(flags.json === true, healed, () => (healed.length === 0 ? 'nothing to heal' : healed.map(sentenceOf).join('\n')));
      // It heals to the end all the same, and says what.
      session.signal.throwIfAborted();
    });
}

const endings = { healed: 'when it is healed', 'healed or by itself': 'when it is healed, or by itself a minute later', 'by itself': 'by itself' } as const;
