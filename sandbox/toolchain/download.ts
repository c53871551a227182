import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { x as extract } from 'tar';
import { EnvHttpProxyAgent, fetch, type Response } from 'undici';
import { UserError } from '../../errors.ts';
import { SourceError } from './command.ts';
import type { Download, Work } from './tool.ts';

/** A closed network has to cost seconds, not minutes: the registries may still be reachable. */
const connectTimeoutMs = 1_500;
const silenceTimeoutMs = 30_000;

interface Checksum { algorithm: 'sha256' | 'sha512'; hex: string }

/** The downloads of one run. A host that did not answer is not asked again within it. */
export class Downloads {
  /** By host, how the first request to it ended: why it could not be reached, or undefined. The others wait for that. */
  readonly #hosts = new Map<string, Promise<string | undefined>>();
  #agent: EnvHttpProxyAgent | undefined;

  /**
   * Fetches a file, checks it against its publisher's checksum and puts what the download names under `work.home`.
   * Throws SourceError when the host is silent, the answer is no file, or the content is not what was published, and UserError (2) when
   * the environment names a proxy that cannot be one.
   */
  async place(download: Download, work: Work): Promise<void> {
    const expected = await this.#checksum(download, work.signal);
    const file = join(work.scratch, basename(new URL(download.url).pathname));
    await this.#save(download.url, file, expected, work);
    if ('keep' in download.place) await unpack(file, work.home, download.place.keep);
    else await move(file, join(work.home, download.place.file), download.place.executable === true);
  }

  async close(): Promise<void> {
    await this.#agent?.destroy();
  }

  async #checksum(download: Download, signal: AbortSignal | undefined): Promise<Checksum> {
    const name = basename(new URL(download.url).pathname);
    if ('githubRelease' in download.checksum) {
      const release = await this.#get(download.checksum.githubRelease, signal);
      return githubDigest(await release.json(), name, download.checksum.githubRelease);
    }
    const { algorithm, url } = download.checksum;
    const text = await (await this.#get(url, signal)).text();
    return { algorithm, hex: checksumOf(text, name, algorithm, url) };
  }

  async #save(url: string, file: string, expected: Checksum, work: Work): Promise<void> {
    const response = await this.#get(url, work.signal);
    if (!response.body) throw new SourceError(`${url} answered without content`);
    const hash = createHash(expected.algorithm);
    const watch = progress(Number(response.headers.get('content-length') ?? 0), work.report);
    const tap = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        watch(chunk.length);
        done(null, chunk);
      },
    });
    try {
      await pipeline(Readable.fromWeb(response.body), tap, createWriteStream(file), { signal: work.signal });
    } catch (error) {
      work.signal?.throwIfAborted();
      if (isFull(error)) throw error;
      throw new SourceError(`${url} broke off: ${reasonOf(error)}`, 'try again', error);
    }
    const found = hash.digest('hex');
    if (found !== expected.hex) {
      throw new SourceError(`${url} is not what its publisher's checksum says: ${expected.algorithm} is ${found}, published is ${expected.hex}`);
    }
  }

  async #get(url: string, signal: AbortSignal | undefined): Promise<Response> {
    const { host, protocol } = new URL(url);
    // Only here: what is in the cache needs no proxy.
    const dispatcher = this.#agent ??= openAgent();
    const first = this.#hosts.get(host);
    const silence = first && await first; // Without a first one there must be no pause before this becomes it.
    if (silence) throw new SourceError(`${host} could not be reached (${silence})`, networkRemedy);
    const answer = fetch(url, { dispatcher, ...(signal ? { signal } : {}) });
    if (!first) this.#hosts.set(host, answer.then(() => undefined, reasonOf));
    const response = await answer.catch((error: unknown) => {
      signal?.throwIfAborted();
      throw new SourceError(`${host} could not be reached (${reasonOf(error)})`, networkRemedy, error);
    });
    if (response.ok && new URL(response.url).protocol === protocol) return response;
    await response.body?.cancel();
    throw new SourceError(response.ok ? `${url} led away from TLS to ${response.url}` : `${url} answered ${String(response.status)}`);
  }
}

function openAgent(): EnvHttpProxyAgent {
  const [httpProxy, httpsProxy] = [proxy('http_proxy'), proxy('https_proxy')];
  return new EnvHttpProxyAgent({
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    connect: { timeout: connectTimeoutMs },
    headersTimeout: silenceTimeoutMs,
    bodyTimeout: silenceTimeoutMs,
  });
}

/** As curl and Go take the variable, which may leave the scheme out. */
function proxy(name: 'http_proxy' | 'https_proxy'): string | undefined {
  const set = name in process.env ? name : name.toUpperCase();
  const value = process.env[set];
  if (value === undefined || value === '') return value;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (isProxy(url)) return url;
  // Not with its value, which may hold a password.
  throw new UserError(`${set} is not the URL of a proxy that downloads can take (http, https or socks5).`, { exitCode: 2, remedy: 'Set it to one such as http://proxy.example:3128 (in a password %25 stands for %, %40 for @), or unset it.' });
}

function isProxy(url: string): boolean {
  try {
    const { protocol, username, password } = new URL(url);
    decodeURIComponent(`${username}:${password}`);
    return ['http:', 'https:', 'socks5:'].includes(protocol);
  } catch {
    return false;
  }
}

const networkRemedy = 'check the network (HTTPS_PROXY is honoured)';

/**
 * The checksum of the file `name` in a publisher's checksum file: lines of `<hex>  <name>` (sha256sum), one bare checksum
 * (Kubernetes, Go), or `<name>: AAAA BBBB ...` over several lines (Apache).
 */
export function checksumOf(text: string, name: string, algorithm: 'sha256' | 'sha512', url: string): string {
  const hex = `[0-9a-fA-F]{${algorithm === 'sha256' ? '64' : '128'}}`;
  for (const line of text.split('\n')) {
    const [, sum, file] = new RegExp(`^(${hex})\\s+\\*?(?:\\./)?(\\S+)\\s*$`).exec(line) ?? [];
    if (sum && file === name) return sum.toLowerCase();
  }
  const joined = text.replaceAll(/\s/g, '');
  const bare = joined.startsWith(`${name}:`) ? joined.slice(name.length + 1) : joined;
  if (new RegExp(`^${hex}$`).test(bare)) return bare.toLowerCase();
  throw new SourceError(`${url} has no ${algorithm} checksum of ${name}`);
}

/** GitHub computes `digest` ("sha256:<hex>") itself when a release's asset is uploaded; for makers that publish no checksum file (or SHA-1 only). */
function githubDigest(release: unknown, name: string, url: string): Checksum {
  const assets = (release as { assets?: { name?: unknown; digest?: unknown }[] }).assets ?? [];
  const digest = assets.find((asset) => asset.name === name)?.digest;
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(typeof digest === 'string' ? digest : '') ?? [];
  if (!hex) throw new SourceError(`${url} has no digest of ${name}`);
  return { algorithm: 'sha256', hex };
}

/** Unpacks with a library: `tar` on the machine may be any of three programs, or missing. */
async function unpack(file: string, home: string, keep: (entry: string) => string | undefined): Promise<void> {
  await extract({
    file,
    cwd: home,
    strict: true,
    filter: (path) => keep(path) !== undefined,
    onReadEntry: (entry) => { entry.path = keep(entry.path) ?? entry.path; },
  });
}

async function move(from: string, to: string, executable: boolean): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  if (executable) await chmod(to, 0o755);
}

/** Tells at most once a second how far it is. */
function progress(total: number, report: (detail: string) => void): (bytes: number) => void {
  let done = 0;
  let told = performance.now();
  return (bytes) => {
    done += bytes;
    if (performance.now() - told < 1_000) return;
    told = performance.now();
    report(total ? `${megabytes(done)} of ${megabytes(total)} MB` : `${megabytes(done)} MB`);
  };
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOSPC';
}

/** fetch hides what happened one level down. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message;
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
