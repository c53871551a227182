/** What leads into a container: its `unshare` process, whose namespaces a command enters, and the container's environment. */
export interface Inside {
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The command line by which a command runs in all of a container's namespaces. It is a shell outside the PID namespace that starts the
 * command inside and reports its end: `nsenter` itself would suspend for ever when the command is stopped, and a `kill -STOP -1`
 * inside must not reach whoever waits here. `exec`, as a builtin `kill` of that shell would act outside. What the shell says about the
 * command's end is no part of the command's output.
 */
export function enter({ pid }: Inside, command: readonly string[]): string[] {
  return ['nsenter', '--no-fork', '--target', String(pid), '--mount', '--uts', '--ipc', '--net', `--pid=/proc/${pid}/ns/pid_for_children`, '--root', '--wd',
    '--', 'sh', '-c', 'exec 3>&2 2>/dev/null; (exec "$@") 2>&3 3>&-; exit $?', 'sh', ...command];
}
