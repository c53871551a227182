import type { Stack } from '@pulumi/pulumi/automation/index.js';
import { commandFailure } from './pulumiCli.ts';
import { editState, nameOf, readState } from './stackState.ts';
import type { StackFiles, StackState } from './stackState.ts';

/** The engine's protection of what does not come again (records, a reserved address): off for a destroy, which is asked to delete it, and on again where that ended early. */
export class Protection {
  #found: string[] = [];
  #taken: readonly string[] = [];

  /** @returns whether there was any */
  takeOff({ resources = [] }: StackState): boolean {
    const kept = resources.filter(({ protect }) => protect === true);
    for (const resource of kept) resource.protect = false;
    this.#found = kept.map(({ urn }) => urn);
    return kept.length > 0;
  }

  /** The state that it was taken off in is stored. */
  isOff(): void {
    this.#taken = this.#found;
  }

  /**
   * To what is left of what had it: without, settings that lack a topic would delete its records. Never throws, as somebody is to hear why the destroy ended.
   * @returns what is to be said where it stays off
   */
  async giveBack({ stack, files }: { stack: Stack; files: StackFiles | undefined }): Promise<string | undefined> {
    if (this.#taken.length === 0) return undefined;
    try {
      // An import forgets operations that a killed engine has begun, which the next run has to look up.
      const { pending_operations: pending = [] } = await readState(files, stack);
      if (pending.length > 0) return this.#staysOff('an operation that was not ended has to be looked up first');
      await editState(files, stack, ({ resources = [] }) => {
        const left = resources.filter(({ urn }) => this.#taken.includes(urn));
        for (const resource of left) resource.protect = true;
        return left.length > 0;
      });
      return undefined;
    } catch (error) {
      return this.#staysOff(commandFailure(error));
    }
  }

  #staysOff(why: string): string {
    return `what is left of ${this.#taken.map(nameOf).join(', ')} is not protected any more until the next up: ${why}`;
  }
}
