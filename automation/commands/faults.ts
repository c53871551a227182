import type { Command } from 'commander';
import { UserError } from '../../errors.ts';
import type { Healed } from '../drill/faults/journal.ts';
import type { SeenLease } from '../drill/lease.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { addTargetOptions, findTarget } from './target.ts';
import type { Target, TargetFlags } from './target.ts';

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
      const [{ sentenceOf }, { howToForget, leftBy, whereToLook }] = await Promise.all([import('../drill/faults/journal.ts'), import('../drill/left-lease.ts')]);
      const target = await findTarget(session, flags);
      const onEvent = (text: unknown): void => { say(session, text as string); };
      const healed = await session.work({ operation: 'heal', leftovers: { stateDir: target.drillDir, kubeconfig: target.kubeconfig } }, { ...target.worker, signal: session.signal, onEvent }) as Healed[];
      // What is healed has to be told, so that nothing may come between.
      const lease = healed.length > 0 || session.signal.aborted ? undefined : await leaseOf(session, target);
      session.answer(flags.json === true, healed, () => (healed.length === 0 ? `nothing to heal${lease?.goesOn === false ? ' by the journal here' : ''}` : healed.map(sentenceOf).join('\n')));
      // It heals to the end all the same, and says what.
      session.signal.throwIfAborted();
      if (lease?.goesOn === true) say(session, `A drill is running on this stack: ${lease.holder}.`);
      else if (lease !== undefined) throw new UserError(leftBy(lease), { remedy: `${whereToLook}.\n${howToForget(lease)}` });
    });
}

/** Of drills that were driven elsewhere the journal here knows nothing; their Lease is in a cluster. Where it cannot be looked at, that is all there is to say. */
async function leaseOf(session: Session, { name, drillDir: stateDir, environment, kubeconfig, worker }: Target): Promise<SeenLease | undefined> {
  const options = { ...worker, signal: session.signal };
  try {
    const outputs = await session.work({ operation: 'outputs', environment }, options);
    return await session.work({ operation: 'lease', drill: { outputs, environment: name, stateDir, kubeconfig } }, options) as SeenLease | undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(session, `Whether a drill that was driven elsewhere has left something could not be looked at: ${error.message}`);
    return undefined;
  }
}

function say(session: Session, text: string): void {
  session.here.stderr.write(`${printable(text)}\n`);
}

const endings = { healed: 'when it is healed', 'healed or by itself': 'when it is healed, or by itself a minute later', 'by itself': 'by itself' } as const;
