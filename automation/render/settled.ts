import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Entry points of the SDK that are not public. */
interface SdkInternals {
  waitForRPCs(): Promise<void>;
  /** The registrations under way. */
  getPendingResourceRegistrations(): ReadonlyMap<unknown, unknown>;
}
const require = createRequire(import.meta.url);
const { getPendingResourceRegistrations, waitForRPCs } = {
  ...(require('@pulumi/pulumi/runtime/settings.js') as object),
  ...(require('@pulumi/pulumi/runtime/state.js') as object),
} as SdkInternals;

/** Resolves when a program on mocks has registered all it ever will. */
export async function settled(): Promise<void> {
  do await nextTurn();
  while (getPendingResourceRegistrations().size > 0);
  await waitForRPCs();
}
