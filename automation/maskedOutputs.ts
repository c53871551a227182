import type { LocalWorkspace } from '@pulumi/pulumi/automation/index.js';

/** What the Automation API itself starts the CLI by; it has no type of its own. */
interface Cli {
  run(args: string[], directory: string, variables: Record<string, string>): Promise<{ readonly stdout: string }>;
}

/**
 * Has a workspace ask for a stack's outputs once, and never in plain text: a secret is `[secret]` to whoever asks here, also inside another value.
 * The Automation API asks twice, and each question starts the CLI.
 */
export function maskOutputs(workspace: LocalWorkspace): void {
  workspace.stackOutputs = async (stack) => {
    const { stdout } = await (workspace.pulumiCommand as unknown as Cli).run(['stack', 'output', '--json', '--stack', stack], workspace.workDir, workspace.envVars);
    const outputs = JSON.parse(stdout) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value, secret: value === '[secret]' }]));
  };
}
