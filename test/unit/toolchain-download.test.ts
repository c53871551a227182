import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import type { UserError } from '../../errors.ts';
import { checksumOf } from '../../sandbox/toolchain/download.ts';
import { ensure } from '../../sandbox/toolchain/index.ts';
import { below, executables } from '../../sandbox/toolchain/places.ts';
import type { Download } from '../../sandbox/toolchain/tool.ts';
import { fakeTool } from '../fixtures/toolchain/fake.ts';

const program = '#!/bin/sh\necho 1.0.0\n';
const sum = createHash('sha256').update(program).digest('hex');

describe('toolchain: official downloads', () => {
  let directory: string;
  let log: string;
  let server: Server;
  let base: string;
  let asked: string[];
  let answers: Record<string, RequestListener>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-toolchain-'));
    process.env['XDG_CACHE_HOME'] = directory;
    log = join(directory, 'builds');
    asked = [];
    answers = {
      '/tool': (_request, response) => { response.end(program); },
      '/sums': (_request, response) => { response.end(`${'0'.repeat(64)}  other\n${sum}  tool\n`); },
    };
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const answer = answers[request.url ?? ''];
      if (answer) answer(request, response);
      else response.writeHead(404).end('no such file');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    delete process.env['XDG_CACHE_HOME'];
    await rm(directory, { recursive: true, force: true });
  });

  const download = (): Download => ({
    url: `${base}/tool`, checksum: { algorithm: 'sha256', url: `${base}/sums` }, place: { file: 'bin/tool', executable: true },
  });
  const install = async (downloads: Download[] = [download()], builds = false) =>
    (await ensure([fakeTool({ log, downloads, builds })], ['etcd'])).get('etcd');

  it('takes a file that is what the publisher says', async () => {
    const tool = await install();
    assert.equal(tool?.source, 'download');
    assert.equal(await readFile(join(tool.home, 'bin/tool'), 'utf8'), program);
    assert.deepEqual(asked, ['/sums', '/tool']);
  });

  it('refuses a file with another checksum, and builds instead', async () => {
    answers['/tool'] = (_request, response) => { response.end(`${program}#`); };
    await assert.rejects(install(), /\/tool is not what its publisher's checksum says/);
    const tool = await install([download()], true);
    assert.equal(tool?.source, 'build');
  });

  it('refuses a file that breaks off', async () => {
    answers['/tool'] = (_request, response) => {
      response.writeHead(200, { 'content-length': program.length });
      response.write(program.slice(0, 5), () => { response.destroy(); });
    };
    await assert.rejects(install(), /\/tool broke off/);
  });

  it('refuses an answer that is no file', async () => {
    delete answers['/tool'];
    await assert.rejects(install(), /\/tool answered 404/);
  });

  it('does not fetch a file whose checksum is not published', async () => {
    answers['/sums'] = (_request, response) => { response.end(`${sum}  another-tool\n`); };
    await assert.rejects(install(), /\/sums has no sha256 checksum of tool/);
    assert.deepEqual(asked, ['/sums']);
  });

  it('takes the digest that a GitHub release records for its asset', async () => {
    const release = (digest: string): RequestListener => (_request, response) =>
      { response.end(JSON.stringify({ assets: [{ name: 'other', digest: 'sha256:1' }, { name: 'tool', digest }] })); };
    const fromRelease = { ...download(), checksum: { githubRelease: `${base}/release` } };
    answers['/release'] = release(`sha256:${'1'.repeat(64)}`);
    await assert.rejects(install([fromRelease]), /not what its publisher's checksum says/);
    answers['/release'] = release(`sha256:${sum}`);
    assert.equal((await install([fromRelease]))?.source, 'download');
  });

  it('asks a host that did not answer only once', async () => {
    let connections = 0;
    const mute = createNetServer((socket) => { connections += 1; socket.destroy(); });
    await once(mute.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${String((mute.address() as AddressInfo).port)}/tool`;
    const silent = { ...download(), url, checksum: { algorithm: 'sha256' as const, url: `${url}.sha256` } };
    const spec = fakeTool({ log, downloads: [silent], builds: false });
    await assert.rejects(ensure([spec, { ...spec, name: 'java' }], ['etcd', 'java']), (error: UserError) => {
      assert.equal(error.message.match(/127\.0\.0\.1:\d+ could not be reached \(/g)?.length, 2);
      return true;
    });
    mute.close();
    assert.equal(connections, 1);
  });

  describe('through a proxy', () => {
    const names = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]);
    let before: (string | undefined)[];
    beforeEach(() => {
      before = names.map((name) => process.env[name]);
      for (const name of names) Reflect.deleteProperty(process.env, name);
    });
    afterEach(() => {
      names.forEach((name, index) => {
        if (before[index] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[index];
      });
    });

    it('that is named without a scheme', async () => {
      process.env['HTTP_PROXY'] = base.slice('http://'.length);
      const url = 'http://tools.invalid/tool';
      Object.assign(answers, { [url]: answers['/tool'], [`${url}.sums`]: answers['/sums'] });
      assert.equal((await install([{ ...download(), url, checksum: { algorithm: 'sha256', url: `${url}.sums` } }]))?.source, 'download');
      assert.deepEqual(asked, [`${url}.sums`, url]);
    });

    for (const value of ['http://', 'me:100%@proxy.example:3128', 'proxy.example:port', 'socks5h://proxy.example:1080']) {
      it(`that cannot be one, ${value}, is said, once, and is no matter where nothing has to be fetched`, async () => {
        const spec = fakeTool({ log, downloads: [download()] });
        const made = await ensure([spec], ['etcd']);
        process.env['https_proxy'] = value;
        assert.deepEqual((await ensure([spec], ['etcd'])).get('etcd')?.home, made.get('etcd')?.home);
        const anew = { ...spec, recipe: 2 };
        await assert.rejects(ensure([anew, { ...anew, name: 'java' }], ['etcd', 'java']), ({ exitCode, message, remedy }: UserError) => {
          assert.deepEqual([exitCode, message], [2, 'https_proxy is not the URL of a proxy that downloads can take (http, https or socks5).']);
          assert.match(remedy ?? '', /http:\/\/proxy\.example:3128/);
          return true;
        });
      });
    }
  });

  it('leaves nothing when it is aborted amid a download', async () => {
    const stop = new AbortController();
    answers['/tool'] = (_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write(program, () => { stop.abort(new Error('interrupted')); });
    };
    await assert.rejects(ensure([fakeTool({ log, downloads: [download()] })], ['etcd'], { signal: stop.signal }), /interrupted/);
    await assert.rejects(stat(join(directory, 'kafka-bridge-failover/etcd/.work')), { code: 'ENOENT' });
  });

  it('takes the named executables out of an archive, and nothing else', async () => {
    await mkdir(join(directory, 'tool-1.0.0/docs'), { recursive: true });
    await writeFile(join(directory, 'tool-1.0.0/tool'), program, { mode: 0o755 });
    await writeFile(join(directory, 'tool-1.0.0/docs/tool'), 'a text');
    await create({ gzip: true, cwd: directory, file: join(directory, 'tool.tar.gz') }, ['tool-1.0.0']);
    const archive = await readFile(join(directory, 'tool.tar.gz'));
    answers['/tool.tar.gz'] = (_request, response) => { response.end(archive); };
    answers['/sums'] = (_request, response) => { response.end(`${createHash('sha256').update(archive).digest('hex')} *./tool.tar.gz\n`); };
    const tool = await install([{ ...download(), url: `${base}/tool.tar.gz`, place: { keep: executables('tool') } }]);
    assert.equal(tool?.version, '1.0.0');
    await assert.rejects(stat(join(tool.home, 'docs')), { code: 'ENOENT' });
  });
});

describe('toolchain: checksum files', () => {
  const hex = 'a1'.repeat(32);
  const long = 'B8'.repeat(64);
  const cases: [string, string, 'sha256' | 'sha512'][] = [
    ['lines of sums and names', `${'0'.repeat(64)}  tool.sig\n${hex}  tool\n`, 'sha256'],
    ['names of binary files in the directory', `${hex} *./tool\n`, 'sha256'],
    ['a bare sum', `${hex}\n`, 'sha256'],
    ["Apache's groups over lines", `tool: ${(long.match(/.{8}/g) ?? []).join(' ').replace(/ /, '\n   ')}\n`, 'sha512'],
  ];
  for (const [what, text, algorithm] of cases) {
    it(`reads ${what}`, () => {
      assert.equal(checksumOf(text, 'tool', algorithm, 'url'), algorithm === 'sha256' ? hex : long.toLowerCase());
    });
  }

  it('refuses a sum of another kind', () => {
    assert.throws(() => checksumOf(`${'a'.repeat(40)}  tool\n`, 'tool', 'sha256', 'https://x/sums'), /https:\/\/x\/sums has no sha256/);
  });
});

describe('toolchain: archives', () => {
  it('puts what lies below the top directory where it was', () => {
    assert.deepEqual(['top/', 'top/libs/', 'top/libs/a.jar', './top/bin/x'].map(below('libs/')), [undefined, 'libs/', 'libs/a.jar', undefined]);
    assert.equal(below('')('jdk-25+10-jre/bin/java'), 'bin/java');
  });
});
