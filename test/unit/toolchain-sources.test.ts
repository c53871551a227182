import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { cacheDirectory } from '../../sandbox/toolchain/cache.ts';
import { run, SourceError } from '../../sandbox/toolchain/command.ts';
import { ensure, listTools } from '../../sandbox/toolchain/index.ts';
import type { ToolEvent, ToolSpec, Work } from '../../sandbox/toolchain/tool.ts';
import { fakeTool } from '../fixtures/toolchain/fake.ts';

describe('toolchain: where a tool comes from', () => {
  let directory: string;
  let log: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-toolchain-'));
    process.env['XDG_CACHE_HOME'] = directory;
    log = join(directory, 'builds');
    await writeFile(log, '');
  });

  afterEach(async () => {
    delete process.env['XDG_CACHE_HOME'];
    delete process.env['KBF_TOOL_ETCD'];
    await rm(directory, { recursive: true, force: true });
  });

  const etcd = async (...specs: ToolSpec[]) => (await ensure(specs, ['etcd'])).get('etcd');
  const builds = async (): Promise<number> => (await readFile(log, 'utf8')).split('\n').length - 1;

  it('ignores a relative XDG_CACHE_HOME, and refuses to have no place at all', async () => {
    const { HOME } = process.env;
    process.env['XDG_CACHE_HOME'] = 'relative';
    process.env['HOME'] = directory;
    try {
      assert.equal(cacheDirectory(), join(directory, '.cache', 'kafka-bridge-failover'));
      process.env['HOME'] = '';
      await assert.rejects(etcd(fakeTool({ log })), (error: UserError) => error.exitCode === 2 && /neither XDG_CACHE_HOME nor HOME is an absolute path/.test(error.message));
      await assert.rejects(listTools(), { exitCode: 2 });
    } finally {
      if (HOME === undefined) delete process.env['HOME'];
      else process.env['HOME'] = HOME;
    }
    assert.equal(await builds(), 0);
  });

  it('builds it once and finds it in the cache from then on', async () => {
    const first = await etcd(fakeTool({ log }));
    const second = await etcd(fakeTool({ log }));
    assert.equal(first?.source, 'build');
    assert.deepEqual(second, { ...first, source: 'cache' });
    assert.equal(second.home, join(directory, 'kafka-bridge-failover/etcd/1.0.0'));
    assert.equal(await builds(), 1);
  });

  it('leaves nothing but the tool and its lock in the cache', async () => {
    await etcd(fakeTool({ log }));
    assert.deepEqual((await readdir(join(directory, 'kafka-bridge-failover/etcd'))).sort(), ['.lock', '1.0.0']);
  });

  it('makes a cached tool anew when a file of it was cut short', async () => {
    const tool = await etcd(fakeTool({ log }));
    await writeFile(join(tool?.home ?? '', 'bin/tool'), '#!/bin/sh\n');
    assert.equal((await etcd(fakeTool({ log })))?.source, 'build');
    assert.equal(await readFile(join(tool?.home ?? '', 'bin/tool'), 'utf8'), '#!/bin/sh\necho 1.0.0\n');
  });

  it('makes a cached tool anew when its recipe changed', async () => {
    await etcd(fakeTool({ log }));
    assert.equal((await etcd(fakeTool({ log }, { recipe: 2 })))?.source, 'build');
    assert.equal(await builds(), 2);
  });

  it('prefers the explicit path, and reports the version that answers there', async () => {
    await etcd(fakeTool({ log }));
    const home = join(directory, 'mine');
    await mkdir(join(home, 'bin'), { recursive: true });
    await writeFile(join(home, 'bin/tool'), '#!/bin/sh\necho 0.9.0\n');
    await chmod(join(home, 'bin/tool'), 0o755);
    process.env['KBF_TOOL_ETCD'] = home;
    assert.deepEqual(await etcd(fakeTool({ log })), { name: 'etcd', version: '0.9.0', source: 'explicit', home, sizeBytes: 21 });
  });

  it('refuses an explicit path that lacks the tool instead of passing over it', async () => {
    process.env['KBF_TOOL_ETCD'] = directory;
    await assert.rejects(etcd(fakeTool({ log })), (error: UserError) => {
      assert.match(error.message, /KBF_TOOL_ETCD=.*bin\/tool/);
      assert.equal(error.exitCode, 2);
      return true;
    });
    assert.equal(await builds(), 0);
  });

  it('does not take a tool that answers another version', async () => {
    await assert.rejects(etcd(fakeTool({ log, answers: '1.0.1' })), /answers version 1\.0\.1, not 1\.0\.0/);
    assert.deepEqual(await readdir(join(directory, 'kafka-bridge-failover/etcd')), ['.lock']);
  });

  it('lists every source that failed with its reason, and what to do', async () => {
    const base = `http://127.0.0.1:${String(await unusedPort())}`;
    const download = { url: `${base}/etcd`, checksum: { algorithm: 'sha256' as const, url: `${base}/sums` }, place: { file: 'bin/tool' } };
    const make = async (): Promise<void> => { await Promise.reject(new SourceError('mvn is not installed', 'install Maven')); };
    const spec = fakeTool({ log, downloads: [download] }, { build: { from: 'Maven artifacts', estimateMs: 1, make } });
    await assert.rejects(etcd(spec), (error: UserError) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /^etcd 1\.0\.0 could not be had:/);
      assert.match(error.message, /official download: 127\.0\.0\.1:\d+ could not be reached \(ECONNREFUSED\)/);
      assert.match(error.message, /Maven artifacts: mvn is not installed/);
      assert.match(error.remedy ?? '', /network.*install Maven.*KBF_TOOL_ETCD/);
      return true;
    });
  });

  it('names a missing command and the package that brings it', async () => {
    const bin = join(directory, 'bin');
    await mkdir(bin);
    await symlink('/usr/bin/setpriv', join(bin, 'setpriv'));
    const make: NonNullable<ToolSpec['build']>['make'] = async ({ signal }) => { await run('python3', [], { signal, env: { PATH: bin } }); };
    await assert.rejects(etcd(fakeTool({ log }, { build: { from: 'PyPI', estimateMs: 1, make } })), (error: UserError) => {
      assert.match(error.message, /PyPI: python3 is not installed/);
      assert.match(error.remedy ?? '', /python3-pip/);
      return true;
    });
  });

  it('tells what to do about a Python without pip and about a closed network', async () => {
    const remedyOf = async (says: string): Promise<string | undefined> => {
      const error: unknown = await run('sh', ['-c', `echo "${says}" >&2; exit 1`], { signal: undefined }).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof SourceError);
      assert.match(error.message, new RegExp(`sh -c failed with exit code 1: ${says}`));
      return error.remedy;
    };
    assert.match(await remedyOf('/usr/bin/python3: No module named pip') ?? '', /python3-pip/);
    assert.match(await remedyOf('dial tcp: lookup registry: no such host') ?? '', /check the network/);
    assert.equal(await remedyOf('syntax error'), undefined);
  });

  it('says that the disk is full when that is why', async () => {
    const make = async (): Promise<void> => { await Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })); };
    await assert.rejects(etcd(fakeTool({ log }, { build: { from: 'registry', estimateMs: 1, make } })), (error: UserError) => {
      assert.match(error.remedy ?? '', /free space on the disk of .*kafka-bridge-failover/);
      return true;
    });
  });

  it('leaves an optional tool out, with the reason in its event', async () => {
    const events: ToolEvent[] = [];
    const spec = fakeTool({ log, answers: 'broken' }, { name: 'kafka-bridge', optional: 'stand-in' });
    const tools = await ensure([spec], ['kafka-bridge'], { onEvent: (event) => events.push(event) });
    assert.equal(tools.size, 0);
    assert.equal(events.at(-1)?.phase, 'unavailable');
    assert.match(events.at(-1)?.detail ?? '', /fake registry: it answers version broken/);
  });

  it('reports all quick tools that failed in one error', async () => {
    const broken = (name: 'envoy' | 'java'): ToolSpec => fakeTool({ log, answers: 'broken' }, { name });
    await assert.rejects(ensure([broken('envoy'), broken('java')], ['envoy', 'java']), /envoy 1\.0\.0 could[^]*java 1\.0\.0 could/);
  });

  it('begins nothing slow when something quick cannot be had', async () => {
    const specs = [fakeTool({ log }, { slow: true }), fakeTool({ log, builds: false }, { name: 'java' })];
    await assert.rejects(ensure(specs, ['etcd', 'java']), /java 1\.0\.0 could not be had/);
    assert.equal(await builds(), 0);
  });

  it('finishes a tool before it asks for its version, and discards one that cannot be finished', async () => {
    const finish = async ({ home }: Work): Promise<void> => { await writeFile(join(home, 'bin/tool'), '#!/bin/sh\necho 1.0.0 # finished\n'); };
    const tool = await etcd(fakeTool({ log, answers: 'unfinished' }, { finish }));
    assert.match(await readFile(join(tool?.home ?? '', 'bin/tool'), 'utf8'), /finished/);
    const fails = (): Promise<void> => Promise.reject(new SourceError('not to be finished'));
    await assert.rejects(etcd(fakeTool({ log }, { recipe: 2, finish: fails })), /fake registry: not to be finished/);
  });

  it('has a tool that another is made with, without returning it', async () => {
    const java = fakeTool({ log }, { name: 'java' });
    const crds = fakeTool({ log }, { name: 'strimzi-crds' });
    const make = crds.build?.make;
    const needing: ToolSpec = { ...crds, build: { from: 'jars', estimateMs: 1, make: async (work) => {
      assert.match(await work.homeOf('java'), /java\/1\.0\.0$/);
      await make?.(work);
    } } };
    const tools = await ensure([java, needing], ['strimzi-crds']);
    assert.deepEqual([...tools.keys()], ['strimzi-crds']);
    assert.equal(await builds(), 2);
  });

  it('refuses a name that is no tool', async () => {
    await assert.rejects(ensure([], ['etcd']), /there is no tool named etcd/);
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
