import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify } from '../../sandbox/machine/state.ts';
import { until } from '../../sandbox/process.ts';
import { addArchive } from '../../sandbox/toolchain/kafka-training.ts';
import { table } from '../../sandbox/toolchain/table.ts';
import type { Work } from '../../sandbox/toolchain/tool.ts';

describe("the archive of a broker's classes", () => {
  let directory: string;
  let said: string[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kbf-training-'));
    said = [];
    for (const path of ['home/libs', 'scratch', 'java/bin']) await mkdir(join(directory, path), { recursive: true });
    await writeFile(join(directory, 'home/libs/kafka.jar'), '');
    await writeFile(join(directory, 'java/release'), 'JAVA_VERSION="25.0.2"\n');
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** A Java that runs this instead of Kafka; `$archive` is the file that it is to write in the end. */
  async function java(script: string): Promise<void> {
    const file = join(directory, 'java/bin/java');
    await writeFile(file, `#!/bin/sh\necho $$ > ${join(directory, 'pid')}\nfor each; do case "$each" in -XX:AOTCacheOutput=*) archive=\${each#*=};; esac; done\n${script}\n`);
    await chmod(file, 0o755);
  }

  function work(signal?: AbortSignal): Work {
    return {
      home: join(directory, 'home'), scratch: join(directory, 'scratch'), cacheDir: directory, signal, downloads: {} as Work['downloads'],
      homeOf: (name) => Promise.resolve(join(directory, name)), report: (detail) => { said.push(detail); },
    };
  }

  const home = async () => (await readdir(join(directory, 'home'))).sort();
  const runs = 'echo Kafka Server started; while :; do sleep 0.05; done';

  it('is the last step of having Kafka, from whichever source', () => {
    assert.equal(table.find(({ name }) => name === 'kafka')?.finish, addArchive);
  });

  it('is made by a broker that is ended once it runs, with a note of the Java that made it', async () => {
    await java(`trap 'sleep 0.5; echo classes > "$archive"; exit 143' TERM; ${runs}`);
    await addArchive(work());
    assert.deepEqual(await home(), ['kafka.aot', 'kafka.aot.java', 'libs']);
    assert.equal(await readFile(join(directory, 'home/kafka.aot'), 'utf8'), 'classes\n');
    assert.equal(await readFile(join(directory, 'home/kafka.aot.java'), 'utf8'), 'JAVA_VERSION="25.0.2"\n');
  });

  it('is done without where the broker does not start, and nothing half made stays', async () => {
    await java('echo half > "$archive"; echo "Unrecognized VM option AOTCacheOutput" >&2; exit 1');
    await addArchive(work());
    assert.deepEqual(await home(), ['libs']);
    assert.match(said.at(-1) ?? '', /brokers will start slowly: Kafka did not start \(exit code 1\): Unrecognized VM option/);
  });

  it('is given up at once when the installation is', async () => {
    await java(`trap '' TERM; ${runs}`);
    const stop = new AbortController();
    const making = addArchive(work(stop.signal));
    let pid = 0;
    await until(async () => { assert.ok(pid = Number(await readFile(join(directory, 'pid'), 'utf8'))); }, AbortSignal.timeout(5000));
    stop.abort(new Error('enough'));
    await assert.rejects(making, /enough/);
    assert.equal(await identify(pid), undefined);
  });
});
