import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';

/** By which a directory has something of its stack: faults of drills, the Lease of one, settings that were written for it. */
const signs = ['faults/*.json', 'lease-holder', 'Pulumi.*.yaml'];

/**
 * Where something is remembered of a stack: below the name that was said when there was nothing yet. `prod`, `acme/prod` and `acme/kafka-bridge-failover/prod` are one
 * stack where acme is the default organization, which only Pulumi Cloud knows.
 * @param directory where the same is remembered of all stacks
 * @param ending of a file that is named for a stack, where it is no directory
 * @throws UserError (2) where several may be of this stack
 */
export function rememberedAt(directory: string, stack: string, ending = ''): string {
  const file = `${stack.slice(stack.lastIndexOf('/') + 1)}${ending}`;
  const found = globSync([file, `*/${file}`, `*/*/${file}`], { cwd: directory }).filter((place) => mayBeOne(place, stack)).map((place) => join(directory, place)).filter(hasSomething).sort();
  if (found.length <= 1) return found[0] ?? join(directory, `${stack}${ending}`);
  throw new UserError(`${found.join(' and ')} may ${found.length === 2 ? 'both' : 'all'} be of stack ${stack}.`, {
    exitCode: 2,
    remedy: 'Name the organization (--stack acme/prod), and move what lies below no organization below its own. Where they are of one stack, put all but one aside, run this, and put the next one back.',
  });
}

/** Whether an organization or a project says that two names are of two stacks. */
function mayBeOne(one: string, other: string): boolean {
  const [before, others] = [one, other].map((name) => name.split('/').slice(0, -1)) as [string[], string[]];
  return before.every((part, index) => others[index] === undefined || others[index] === part);
}

/** Directories stay when what was in them is over, and some are there for what is below them. */
function hasSomething(place: string): boolean {
  return statSync(place).isFile() || globSync(signs, { cwd: place }).length > 0;
}
