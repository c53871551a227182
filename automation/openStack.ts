import { Stack } from '@pulumi/pulumi/automation/index.js';
import type { LocalWorkspace } from '@pulumi/pulumi/automation/index.js';
import { UserError } from '../errors.ts';
import { commandFailure, runPulumi, shellCommand } from './pulumiCli.ts';
import { isThere } from './stackState.ts';
import type { StackFiles } from './stackState.ts';

export interface StackQuestion {
  readonly name: string;
  readonly files: StackFiles | undefined;
  /** Where its settings are. */
  readonly source: string;
  /** Make it where it does not exist. */
  readonly make: boolean;
}

/** A stack that is there, or is made. `isNew`: it was made. */
export async function openStack(workspace: LocalWorkspace, { name, files, source, make }: StackQuestion): Promise<{ stack: Stack; isNew: boolean }> {
  let isNew = false;
  // Every call of the CLI names its stack, so that it is only asked whether it is there. Selecting it would change what plain `pulumi` works on in the
  // program's directory, and leave a note in Pulumi's home for each directory.
  workspace.selectStack = async () => { if (!isThere(files)) await runPulumi(workspace, ['stack', '--show-name', '--stack', name]); };
  try {
    const stack = await Stack.select(name, workspace).catch(async (error: unknown) => {
      if (!make || !isNotFound(error)) throw error;
      try {
        const made = await Stack.create(name, workspace);
        isNew = true;
        return made;
      } catch (failure) {
        // Another operation was as quick.
        if ((failure as Error).name !== 'StackAlreadyExistsError') throw failure;
        return await Stack.select(name, workspace);
      }
    });
    // The engine's events have said it; the Automation API would start the CLI once more to read it in the history.
    stack.info = () => Promise.resolve(undefined);
    return { stack, isNew };
  } catch (error) {
    if (isNotFound(error)) {
      throw new UserError(`Stack ${name} does not exist: nothing was ever set up with ${source}.`, { exitCode: 2, remedy: '`kbf up` makes it.', cause: error });
    }
    throw new UserError(`Stack ${name} cannot be opened.\n${commandFailure(error)}`, { cause: error });
  }
}

/** Takes away what only a preview needed. A stack that somebody has filled meanwhile stays, and so do its settings, with the salt of its passphrase. */
export async function removeAgain(workspace: LocalWorkspace, name: string, notice: (text: string) => void): Promise<void> {
  await workspace.removeStack(name, { preserveConfig: true }).catch((error: unknown) => {
    const command = shellCommand(workspace, ['stack', 'rm', '--preserve-config', name]);
    notice(`stack ${name}, which was made for this preview, could not be removed again: ${commandFailure(error)}; if nobody uses it: ${command}`);
  });
}

function isNotFound(error: unknown): boolean {
  return (error as Error).name === 'StackNotFoundError';
}
