import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { shellWord } from '../../config/shell-word.ts';
import { UserError } from '../../errors.ts';
import type { HostParts, Mount } from './host-mounts.ts';
import { mountTable } from './host-mounts.ts';

export interface ContainerRoot {
  /** Where its files go; in memory, removed by the caller when the container has ended. */
  readonly dir: string;
  readonly host: HostParts;
  readonly hostname: string;
  /** The pod's host names: a file that changes in place. */
  readonly hostsFile: string;
  /** Volumes, in any order. */
  readonly volumes: readonly (Mount & { readonly isFile: boolean })[];
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly workingDir: string;
  /** Where the program may leave its last words, as the pod says. */
  readonly terminationMessagePath: string;
}

/** Written by the start script on descriptor 3 when the program is about to run; before it, what went wrong. */
export const startedMark = 'started\n';

const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
const directories = ['proc', 'sys', 'dev/shm', 'tmp', 'var/tmp', 'var/lib', 'var/log', 'run', 'opt', 'etc', 'root', 'home', 'usr', '.old'];
const etcFiles: Record<string, string> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  'etc/resolv.conf': '# All names are in /etc/hosts.\n',
};

/**
 * Lays out a container's file system and its start script, as plain files; the script, run in fresh mount, PID, UTS and IPC
 * namespaces, mounts the rest over it. Resolves to the script's path.
 * @throws UserError when a file of the image lies where it would be hidden.
 */
export async function layOutRoot(c: ContainerRoot): Promise<string> {
  const root = join(c.dir, 'root');
  await Promise.all([...directories, dirname(c.terminationMessagePath), c.workingDir].map((path) => mkdir(join(root, path), { recursive: true })));
  const mounts: Mount[] = [
    ...c.host.mounts,
    ...devices.map((name) => ({ source: `/dev/${name}`, target: `/dev/${name}`, readOnly: false })),
    { source: c.hostsFile, target: '/etc/hosts', readOnly: true },
    ...c.volumes,
    // What is mounted first is hidden by what comes over it: a volume may lie in another, and a project in /tmp below one on /tmp.
  ].sort((a, b) => a.target.length - b.target.length);
  const emptyFiles = [...mounts.filter((m) => !isDirectoryMount(m, c)).map((m) => m.target), c.terminationMessagePath];
  await Promise.all([
    ...emptyFiles.map((path) => put(root, path, '')),
    ...Object.entries(etcFiles).map(([path, text]) => put(root, path, text)),
    ...Object.entries(c.files).map(([path, text]) => put(root, visible(path, mounts), text)),
    put(root, 'etc/hostname', `${c.hostname}\n`),
    ...Object.entries(c.host.links).map(([path, target]) => symlink(target, join(root, path))),
    ...Object.entries({ fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2' })
      .map(([name, target]) => symlink(target, join(root, 'dev', name))),
    symlink('../run', join(root, 'var/run')),
  ]);
  await writeFile(join(c.dir, 'fstab'), mountTable(root, mounts, c.host.hidden), { mode: 0o600 });
  const script = join(c.dir, 'start.sh');
  await writeFile(script, startScript(c, root), { mode: 0o600 });
  return script;
}

function isDirectoryMount(mount: Mount, c: ContainerRoot): boolean {
  const volume = c.volumes.find((v) => v.target === mount.target);
  return volume === undefined ? mount.recursive === true : !volume.isFile;
}

async function put(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text, { mode: 0o644 });
}

function visible(path: string, mounts: readonly Mount[]): string {
  const clean = normalize(path);
  const over = mounts.find(({ target }) => clean === target || clean.startsWith(`${target}/`));
  if (over === undefined && clean.startsWith('/')) return clean;
  throw new UserError(`The image wants a file at ${path}, ${over === undefined ? 'which is not absolute' : `which is hidden by the mount on ${over.target}`}.`);
}

/**
 * The shell stays as the first process of the PID namespace: it reaps, and the program gets signals' default actions.
 * What it would say itself about the program's end is no part of the program's output.
 */
function startScript(c: ContainerRoot, root: string): string {
  const named = Object.entries(c.env).filter(([name]) => /^[A-Za-z_]\w*$/.test(name));
  // Names that a shell cannot export (`a.b`) are handed over by env(1).
  const odd = Object.entries(c.env).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name)).map(([name, value]) => `${name}=${value}`);
  const command = [...(odd.length === 0 ? [] : ['env', ...odd]), ...c.argv].map(shellWord).join(' ');
  return `set -e
exec 4>&2 2>&3
mount --all --fstab ${shellWord(join(c.dir, 'fstab'))} >&2
hostname ${shellWord(c.hostname)}
cd ${shellWord(root)}
pivot_root . .old
umount -l /.old
rmdir /.old
cd ${shellWord(c.workingDir)}
${named.map(([name, value]) => `export ${name}=${shellWord(value)}`).join('\n')}
printf ${shellWord(startedMark.replace('\n', '\\n'))} >&3
exec 2>/dev/null 3>&-
set +e
${command} 2>&4 4>&-
exit $?
`;
}
