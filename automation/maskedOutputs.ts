import type { LocalWorkspace, OutputMap } from '@pulumi/pulumi/automation/index.js';
import { runPulumi } from './pulumiCli.ts';

/**
 * Has a workspace ask for a stack's outputs once, and never in plain text: a secret is `[secret]` to whoever asks here, also inside another value.
 * The Automation API asks twice, and each question starts the CLI.
 */
export function maskOutputs(workspace: LocalWorkspace): void {
  workspace.stackOutputs = (stack) => maskedOutputs(workspace, stack);
}

/** What a workspace then gives, for whom a signal may end asking. */
export async function maskedOutputs(workspace: LocalWorkspace, stack: string, signal?: AbortSignal): Promise<OutputMap> {
  const outputs = JSON.parse(await runPulumi(workspace, ['stack', 'output', '--json', '--stack', stack], signal)) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value, secret: value === '[secret]' }]));
}
