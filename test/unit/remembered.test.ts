import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { main } from '../../automation/kbf.ts';
import { rememberedAt } from '../../automation/remembered.ts';
import type { WorkerRequest } from '../../automation/runWorker.ts';
import type { UserError } from '../../errors.ts';
import { Sink } from '../fixtures/sink.ts';

describe('what is remembered of a stack', () => {
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'kbf-unit-')); });
  afterEach(async () => { await rm(directory, { recursive: true, force: true }); });

  const write = async (...files: string[]): Promise<void> => {
    for (const file of files) {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(join(directory, file), '');
    }
  };
  const names = ['prod', 'acme/prod', 'acme/tiny/prod'];

  it('is filed under the name that is said while there is nothing', async () => {
    for (const stack of names) assert.equal(rememberedAt(join(directory, 'absent'), stack, '.json'), join(directory, 'absent', `${stack}.json`));
    // What a drill leaves that ended well is nothing.
    await mkdir(join(directory, 'prod', 'faults'), { recursive: true });
    assert.equal(rememberedAt(directory, 'acme/prod'), join(directory, 'acme', 'prod'));
  });

  for (const filed of names) {
    it(`is found by each of a stack's names where it was filed under ${filed}`, async () => {
      await write(`orphans/${filed}.json`, `drill/${filed}/faults/run.json`, `leases/${filed}/lease-holder`);
      for (const stack of names) {
        assert.equal(rememberedAt(join(directory, 'orphans'), stack, '.json'), join(directory, 'orphans', `${filed}.json`));
        for (const what of ['drill', 'leases']) assert.equal(rememberedAt(join(directory, what), stack), join(directory, what, filed));
      }
    });
  }

  it('is never that of another stack, organization or project', async () => {
    await write('acme/tiny/prod.json', 'acme/other.json', 'acme/faults/run.json', 'acme/prod/faults/run.json');
    for (const stack of ['beta/prod', 'acme/large/prod', 'acme', 'rod']) assert.equal(rememberedAt(directory, stack, '.json'), join(directory, `${stack}.json`));
    for (const [stack, place] of [['acme', 'acme'], ['prod', 'acme/prod'], ['beta/prod', 'beta/prod']] as const) assert.equal(rememberedAt(directory, stack), join(directory, place));
  });

  it('is not guessed where two organizations have a stack of the name', async () => {
    await write('acme/prod.json', 'beta/prod.json');
    assert.throws(() => rememberedAt(directory, 'prod', '.json'), (error: UserError) => error.exitCode === 2
      && error.message === `${join(directory, 'acme/prod.json')} and ${join(directory, 'beta/prod.json')} may both be of stack prod.` && /--stack acme\/prod/.test(error.remedy ?? ''));
    assert.equal(rememberedAt(directory, 'beta/prod', '.json'), join(directory, 'beta/prod.json'));
    await write('prod.json');
    assert.throws(() => rememberedAt(directory, 'beta/prod', '.json'), { exitCode: 2, message: /beta\/prod\.json and .*\/prod\.json may both be of stack beta\/prod/ });
  });

  it('is what faults heal looks for, whichever name a drill was told', async () => {
    await write('drill/acme/gke/faults/run.json');
    const config = new URL('../../examples/gke/Pulumi.gke.yaml', import.meta.url).pathname;
    const requests: WorkerRequest[] = [];
    const before = process.env['PULUMI_CONFIG_PASSPHRASE'];
    process.env['PULUMI_CONFIG_PASSPHRASE'] = '';
    try {
      await main(['faults', 'heal', '--config', config, '--state-dir', directory], { stdout: new Sink(), stderr: new Sink(), work: (request) => { requests.push(request); return Promise.resolve([]); } });
    } finally {
      if (before === undefined) delete process.env['PULUMI_CONFIG_PASSPHRASE'];
      else process.env['PULUMI_CONFIG_PASSPHRASE'] = before;
    }
    assert.equal(requests[0]?.operation === 'heal' && requests[0].leftovers.stateDir, join(directory, 'drill', 'acme', 'gke'));
  });
});
