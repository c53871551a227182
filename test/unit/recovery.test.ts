import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adoptPendingCreates, settle } from '../../automation/recovery.ts';
import type { Refresh } from '../../automation/recovery.ts';
import type { StackState } from '../../automation/stackState.ts';
import { storedStack } from '../fixtures/stored-stack.ts';

describe('what a killed engine was creating', () => {
  const urn = 'urn:pulumi:dev::p::kubernetes:core/v1:Pod::slow';
  const creating = (more: object = {}) => ({ type: 'creating', resource: { urn, type: 'kubernetes:core/v1:Pod', custom: true, inputs: { metadata: { name: 'slow', namespace: 'n' } }, ...more } });

  it('enters the state under the id that it has in its cluster, to be looked up', () => {
    const state = { resources: [], pending_operations: [creating(), { ...creating(), type: 'updating' }] };
    const lines = adoptPendingCreates(state);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', /looked up slow \(kubernetes:core\/v1:Pod\)/);
    assert.deepEqual(state.resources.map(({ id }) => id), ['n/slow']);
    assert.deepEqual(state.pending_operations.map(({ type }) => type), ['updating']);
  });

  it('has no namespace in its id where it has none', () => {
    const state = { resources: [], pending_operations: [creating({ inputs: { metadata: { name: 'n' } } })] };
    adoptPendingCreates(state);
    assert.deepEqual(state.resources.map(({ id }) => id), ['n']);
  });

  for (const [what, more] of Object.entries({ 'another provider\'s': { type: 'gcp:dns:RecordSet' }, 'a component': { custom: false }, 'unnamed': { inputs: {} } })) {
    it(`is only said where it is ${what}`, () => {
      const state = { resources: [], pending_operations: [creating(more)] };
      assert.match(adoptPendingCreates(state)[0] ?? '', /had begun to create slow/);
      assert.deepEqual(state, { resources: [], pending_operations: [] });
    });
  }

  it('does not enter the state twice', () => {
    const state = { resources: [{ ...creating().resource, id: 'n/slow' }], pending_operations: [creating()] };
    adoptPendingCreates(state);
    assert.equal(state.resources.length, 1);
  });

  describe('is looked up', () => {
    let state: string;
    let file: string;
    beforeEach(async () => {
      state = await mkdtemp(join(tmpdir(), 'kbf-unit-'));
      file = join(state, '.pulumi', 'stacks', 'p', 'dev.json');
      await mkdir(join(file, '..'), { recursive: true });
      await write({ resources: [], pending_operations: [creating()] });
    });
    afterEach(async () => { await rm(state, { recursive: true, force: true }); });

    const write = (latest: StackState): Promise<void> => writeFile(file, JSON.stringify({ version: 3, checkpoint: { latest } }));
    const read = async (): Promise<StackState> => (JSON.parse(await readFile(file, 'utf8')) as { checkpoint: { latest: StackState } }).checkpoint.latest;
    /** As `pulumi stack import` does it: it forgets every pending operation. */
    const stack = storedStack({ imported: ({ deployment }) => write({ ...deployment as StackState, pending_operations: [] }) });
    const settled = async (refresh: Refresh, excluded: string[] = []): Promise<string[]> => settle(await read(), { files: { state, project: 'p', stack: 'dev' }, stack }, () => excluded, refresh);
    const failing = (): Promise<void> => Promise.reject(new Error('interrupted'));
    /** What the engine makes of an object that it finds. */
    const found = async (): Promise<void> => {
      const now = await read();
      await write({ ...now, resources: (now.resources ?? []).map((resource) => ({ ...resource, initErrors: [] })) });
    };

    it('by the next run where the refresh did not come to its end, and by none after it', async () => {
      await assert.rejects(settled(failing), /interrupted/);
      await assert.rejects(settled(failing), /interrupted/);
      let looked = 0;
      const refresh = async (): Promise<void> => {
        looked += 1;
        await found();
      };
      await settled(refresh);
      await settled(refresh);
      assert.equal(looked, 1);
      assert.deepEqual((await read()).resources?.map(({ id }) => id), ['n/slow']);
    });

    it('in another backend as well', async () => {
      let kept: StackState = { resources: [], pending_operations: [creating()] };
      const elsewhere = storedStack({ exported: () => ({ version: 3, deployment: kept }), imported: ({ deployment }) => { kept = { ...deployment as StackState, pending_operations: [] }; } });
      const looked: string[][] = [];
      const lines = await settle(kept, { files: undefined, stack: elsewhere }, () => [], () => Promise.resolve(looked.push((kept.resources ?? []).map(({ id }) => id ?? ''))));
      assert.deepEqual([lines.length, looked], [1, [['n/slow']]]);
      kept = { resources: [] };
      assert.deepEqual(await settle(kept, { files: undefined, stack: elsewhere }, () => [], () => Promise.reject(new Error('nothing is to be looked up'))), []);
    });

    it('once it is no longer left alone', async () => {
      const looked: unknown[] = [];
      await settled((which) => Promise.resolve(looked.push(which)), [urn]);
      assert.deepEqual(looked, [{ exclude: [urn] }]);
      await settled(failing, [urn]);
      await assert.rejects(settled(failing), /interrupted/);
    });
  });
});
