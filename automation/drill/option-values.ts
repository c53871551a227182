import { randomInt } from 'node:crypto';
import { UserError } from '../../errors.ts';
import { defaultConnections, defaultConsumers, defaultLoad, defaultMostErrors, wrongConnections, wrongConsumers, wrongLoad } from './load-plan.ts';
import { parseObjective } from './objective-text.ts';
import type { DrillOptions } from './options.ts';
import type { Plan } from './plan.ts';

/** What can be judged without the stack, and without the modules that reach into one: a command does it before it looks for any. */
type Values = Pick<DrillOptions, 'rate' | 'durationSeconds' | 'connections' | 'load' | 'consumers' | 'abortAfterErrors' | 'seed' | 'objectives'>;

/** Of the drill's topic. */
export const partitions = 6;

/** Throws one UserError (exit code 2) with all that is wrong, if anything is. */
export function refuse(wrong: readonly string[]): void {
  if (wrong.length > 0) throw new UserError(`the drill cannot be run: ${wrong.join('; ')}`, { exitCode: 2 });
}

/** With defaults for what was not asked for. */
export function settled({ rate = 100, durationSeconds = 30, seed = randomInt(2 ** 31), abortAfterErrors = defaultMostErrors, consumers, ...asked }: Values): Pick<Plan, 'rate' | 'durationSeconds' | 'connections' | 'seed' | 'load' | 'consumers'> & { abortAfterErrors: number } {
  const load = { ...defaultLoad, ...asked.load };
  const { connections = defaultConnections(load) } = asked;
  return { rate, durationSeconds, connections, seed, abortAfterErrors, load, consumers: { ...defaultConsumers, ...consumers } };
}

/** All that is wrong with what a drill is asked for, one phrase each; its steps are another matter. Without `regions`, where the stack is not known yet, any name of a region is taken. */
export function wrongValues(options: Values, regions?: readonly string[]): string[] {
  const { rate, durationSeconds, connections, seed, abortAfterErrors, load, consumers } = settled(options);
  return [
    ...(options.objectives ?? []).flatMap((text) => wrongObjective(text, regions)),
    ...(abortAfterErrors >= 0 && abortAfterErrors <= 1 ? [] : [`abortAfterErrors is ${abortAfterErrors}, must be a share from 0 to 1`]),
    ...range('rate', rate, { least: 1, most: 20_000, unit: 'records a second' }),
    ...range('duration', durationSeconds, { least: 6, most: 86_400, unit: 's' }),
    ...(Number.isSafeInteger(seed) && seed >= 0 ? [] : [`seed is ${seed}, must be a whole number, 0 or more`]),
    ...wrongConnections(connections, load),
    ...wrongLoad(load),
    ...wrongConsumers(consumers, partitions),
  ];
}

export function wrongObjective(text: string, regions: readonly string[] | undefined): string[] {
  try {
    parseObjective(text, regions);
    return [];
  } catch (error) {
    if (error instanceof UserError) return [`${error.message}${error.remedy === undefined ? '' : `. ${error.remedy}`}`];
    throw error;
  }
}

export function range(name: string, value: number, { least, most, unit }: { least: number; most: number; unit: string }): string[] {
  return value >= least && value <= most ? [] : [`${name} is ${value}, must be ${least} to ${most} ${unit}`];
}
