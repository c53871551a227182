import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { UserError } from '../../errors.ts';

/** `ip` and `mount` often lie where an ordinary user's PATH does not lead. */
export const searchPath = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;

/** What the tree, the node agent's containers and the toolchain's locks are made with. */
export const programs = ['unshare', 'nsenter', 'setpriv', 'mount', 'umount', 'pivot_root', 'flock', 'ip', 'hostname', 'mkfifo'];

/** The settings by which systems forbid user namespaces; undefined where a kernel does not have one. */
export interface NamespaceSettings {
  readonly unprivilegedUsernsClone?: string;
  readonly apparmorRestrictUserns?: string;
  readonly maxUserNamespaces?: string;
}

/**
 * Checks, in a moment, that this system can hold a sandbox, by making an empty tree of namespaces with a bridge and a veth pair in it.
 * @returns whether the tree needs a user namespace (an ordinary user) or not (root)
 * @throws UserError with the remedy
 */
export async function checkPrerequisites(): Promise<{ userNamespace: boolean }> {
  if (process.platform !== 'linux') throw notLinux(process.platform);
  const missing = await missingPrograms();
  if (missing.length > 0) throw programsMissing(missing);
  const isRoot = process.getuid?.() === 0;
  const asRoot = isRoot ? await probe(false) : undefined;
  if (isRoot && asRoot === undefined) return { userNamespace: false };
  const failure = await probe(true);
  // A container's root may not make namespaces by itself, and may still in a user namespace of its own.
  if (failure === undefined) return { userNamespace: true };
  throw explainFailure(failure, isRoot, await readSettings());
}

/** The command line that makes the tree and runs a command as its first process, which cannot outlive `unshare`, nor anything else it. */
export function unshareArgv(userNamespace: boolean, command: readonly string[]): string[] {
  const user = userNamespace ? ['--user', '--map-root-user'] : [];
  return ['unshare', ...user, '--net', '--pid', '--mount', '--fork', '--kill-child', '--mount-proc', '--', ...command];
}

/** Why the tree cannot be made, a setpriv that is too simple or a setting that forbids the namespaces, and what to do about it. */
export function explainFailure(failure: string, isRoot: boolean, settings: NamespaceSettings): UserError {
  if (failure.startsWith('setpriv:')) {
    return new UserError(`The sandbox ends what it started by setpriv --pdeathsig, which the setpriv of this system does not do: ${failure.split('\n', 1)[0] ?? ''}`, {
      remedy: 'Install the setpriv of util-linux 2.33 or newer (sudo apt-get install util-linux, apk add setpriv); BusyBox\'s does not know it.',
    });
  }
  const cause = `This system does not let the sandbox make its namespaces: ${failure}`;
  if (isRoot) {
    return new UserError(cause, { remedy: 'This looks like a container without the right to: run it with --privileged, or with the capabilities SYS_ADMIN and NET_ADMIN and no seccomp filter on unshare and mount.' });
  }
  const orRoot = 'Or run the command as root, which needs no user namespaces.';
  if (settings.maxUserNamespaces === '0') {
    return new UserError(`${cause} (user.max_user_namespaces is 0)`, { remedy: `Allow them: sudo sysctl -w user.max_user_namespaces=10000. ${orRoot}` });
  }
  if (settings.unprivilegedUsernsClone === '0') {
    return new UserError(`${cause} (kernel.unprivileged_userns_clone is 0)`, { remedy: `Allow them: sudo sysctl -w kernel.unprivileged_userns_clone=1. ${orRoot}` });
  }
  if (settings.apparmorRestrictUserns === '1') {
    return new UserError(`${cause} (AppArmor restricts them: kernel.apparmor_restrict_unprivileged_userns is 1)`, {
      remedy: `Lift it: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0. ${orRoot}`,
    });
  }
  return new UserError(cause, { remedy: `User namespaces, or bridge and veth devices, seem to be forbidden or missing here (a container's seccomp filter, a kernel without them). ${orRoot}` });
}

export function notLinux(platform: string): UserError {
  return new UserError(`The sandbox is made of Linux namespaces; this system is ${platform}.`, {
    remedy: 'Run it in a Linux virtual machine, or in a container with --privileged.',
  });
}

export function programsMissing(names: readonly string[]): UserError {
  return new UserError(`The sandbox needs ${names.join(', ')}, which ${names.length === 1 ? 'is' : 'are'} not installed.`, {
    remedy: 'Install the packages util-linux (unshare, nsenter, setpriv, mount, umount, pivot_root, flock), iproute2 (ip), hostname and coreutils (mkfifo), for example: sudo apt-get install util-linux mount iproute2 hostname coreutils.',
  });
}

async function missingPrograms(): Promise<string[]> {
  const found = await Promise.all(programs.map(async (name) => {
    const tries = await Promise.all(searchPath.split(':').map((dir) => access(join(dir, name), constants.X_OK).then(() => true, () => false)));
    return tries.includes(true) ? [] : [name];
  }));
  return found.flat();
}

/** Undefined when it works, else what the system said. */
async function probe(userNamespace: boolean): Promise<string | undefined> {
  const steps = 'mount -t tmpfs tmpfs /run && ip link add kbf0 type bridge && ip link add kbf1 type veth peer name kbf2 && ip netns add kbf';
  const result = await execa('setpriv', ['--pdeathsig', 'KILL', '--', ...unshareArgv(userNamespace, ['sh', '-ec', steps])], { cwd: '/', env: { PATH: searchPath }, reject: false, timeout: 10_000 });
  return result.failed ? (result.stderr.trim() || result.shortMessage) : undefined;
}

async function readSettings(): Promise<NamespaceSettings> {
  const read = (name: string) => readFile(`/proc/sys/${name}`, 'utf8').then((text) => text.trim(), () => undefined);
  const [unprivilegedUsernsClone, apparmorRestrictUserns, maxUserNamespaces] = await Promise.all([
    read('kernel/unprivileged_userns_clone'), read('kernel/apparmor_restrict_unprivileged_userns'), read('user/max_user_namespaces'),
  ]);
  return {
    ...(unprivilegedUsernsClone === undefined ? {} : { unprivilegedUsernsClone }),
    ...(apparmorRestrictUserns === undefined ? {} : { apparmorRestrictUserns }),
    ...(maxUserNamespaces === undefined ? {} : { maxUserNamespaces }),
  };
}
