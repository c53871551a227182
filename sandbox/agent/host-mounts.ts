import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** One line of a container's mount table. */
export interface Mount {
  readonly source: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly readOnly: boolean;
  /** Mounts below the source come along. In a user namespace the kernel refuses to leave them behind. */
  readonly recursive?: boolean;
}

export interface HostParts {
  readonly mounts: readonly Mount[];
  /** Link text by path: /bin and the like, where the system has them as links. */
  readonly links: Readonly<Record<string, string>>;
  /** Directories that a container must not see although they lie in a mounted one. */
  readonly hidden: readonly string[];
}

const systemDirectories = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix'];
/** Of /etc only what programs need to run and to verify certificates; the rest is this machine's own business. */
const etcParts = ['ssl', 'pki', 'ca-certificates', 'crypto-policies', 'alternatives', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'localtime', 'fonts'];

/**
 * What every container has of this machine: its programs and libraries, the project, the tools, all read-only.
 * @param tools Absolute paths; the directory of each is mounted, or its parent when that is called `bin` or `libs`.
 * @param stateDir The directory of all sandboxes, with their keys; it may lie inside the project.
 */
export function hostParts(tools: readonly string[], stateDir: string): HostParts {
  const present = systemDirectories.filter((path) => existsSync(path));
  const isLink = (path: string) => lstatSync(path).isSymbolicLink();
  const etc = etcParts.map((name) => `/etc/${name}`).filter((path) => existsSync(path));
  const own = tools.filter(isReadable).map(home)
    .filter((path) => !present.some((system) => path === system || path.startsWith(`${system}/`)));
  const directories = outermost([...present.filter((path) => !isLink(path)), ...etc, ...own]);
  return {
    mounts: directories.map((path) => ({ source: path, target: path, readOnly: true, recursive: statSync(path).isDirectory() })),
    links: Object.fromEntries(present.filter(isLink).map((path) => [path, readlinkSync(path)])),
    hidden: directories.some((path) => stateDir.startsWith(`${path}/`)) ? [stateDir] : [],
  };
}

/** What needs the tool fails, and says so; the rest must not. */
function isReadable(path: string): boolean {
  if (existsSync(path)) return true;
  console.error(`${path} cannot be read: containers will not have it`);
  return false;
}

/** The directory to mount so that a tool finds the files that came with it. */
function home(path: string): string {
  const directory = statSync(path).isDirectory() ? path : dirname(path);
  const candidate = /\/(bin|libs)$/.test(directory) ? dirname(directory) : directory;
  return ['/', '/tmp', '/root', '/home', '/var', '/run', '/opt', '/etc'].includes(candidate) ? path : candidate;
}

function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths.map((path) => resolve(path)))];
  return unique.filter((path) => !unique.some((other) => other !== path && path.startsWith(`${other}/`))).sort();
}

/**
 * The text of a mount table for `mount --all --fstab`, in one process for all.
 * @param root The container's root in the agent's view; every target lies below it.
 */
export function mountTable(root: string, mounts: readonly Mount[], hidden: readonly string[] = []): string {
  const flagsOf = mountFlags(readFileSync('/proc/self/mountinfo', 'utf8'));
  const bind = ({ source, target, readOnly, recursive = false }: Mount) => {
    const kind = recursive ? 'rbind' : 'bind';
    // Read-only takes a second mount call, which in a user namespace must repeat the flags that the mount has.
    const options = readOnly ? [kind, 'ro', ...new Set(['nosuid', 'nodev', ...flagsOf(source)])] : [kind];
    return [source, root + target, 'none', [...options, 'X-mount.mkdir'].join(',')];
  };
  return [
    [root, root, 'none', 'bind'],
    ...mounts.map(bind),
    ...hidden.map((path) => ['tmpfs', root + path, 'tmpfs', 'ro,size=4k,mode=700']),
    ['proc', `${root}/proc`, 'proc', 'nosuid,nodev,noexec'],
    ['sysfs', `${root}/sys`, 'sysfs', 'ro,nosuid,nodev,noexec'],
  ].map((fields) => `${fields.map(escape).join(' ')} 0 0\n`).join('');
}

function escape(field: string): string {
  return field.replace(/[\\ \t\n#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** For a path: which of nosuid, nodev, noexec the mount that it lies on has. */
function mountFlags(mountinfo: string): (path: string) => string[] {
  const mounts = mountinfo.trimEnd().split('\n').map((line) => {
    const [, , , , point = '/', options = ''] = line.split(' ');
    return { point: point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))), options: options.split(',') };
  });
  return (path) => {
    const above = mounts.filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`));
    const nearest = above.reduce((best, m) => m.point.length >= best.point.length ? m : best, { point: '', options: [] as string[] });
    return nearest.options.filter((option) => ['nosuid', 'nodev', 'noexec'].includes(option));
  };
}
