import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { UserError } from '../../errors.ts';
import type { TreeContext } from './control-plane.ts';

/** What the installer reports to us. */
export type FromInstaller = { readonly kind: 'event'; readonly detail: string } | { readonly kind: 'failed'; readonly message: string };

/**
 * Installs the add-ons in a process of its own, which takes the memory of all those definitions with it when it is done.
 * @throws UserError with what the installer said
 */
export async function installAddons(t: TreeContext, say: (detail: string) => void): Promise<void> {
  const path = join(t.dir, 'logs', 'addons.log');
  // Any descriptor will do; the type names the first few alone.
  const log = openSync(path, 'a', 0o600) as 3;
  let failure: string | undefined;
  try {
    const child = execa(t.tools.node, [join(t.tools.project, 'sandbox/machine/addons.ts'), '--dir', t.dir], {
      env: t.env, extendEnv: false, cancelSignal: t.signal, reject: false,
      stdin: 'ignore', stdout: log, stderr: log, ipc: true,
    });
    for await (const message of child.getEachMessage() as AsyncIterable<FromInstaller>) {
      if (message.kind === 'event') say(message.detail);
      else failure = message.message;
    }
    const result = await child;
    t.signal.throwIfAborted();
    if (result.failed) throw new UserError(`the add-ons could not be installed: ${failure ?? result.shortMessage}`, { remedy: `See ${path}.` });
  } finally {
    closeSync(log);
  }
}
