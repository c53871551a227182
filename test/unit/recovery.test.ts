import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refuseHalfInstalled } from '../../automation/halfInstalled.ts';
import { adoptPendingCreates, settle } from '../../automation/recovery.ts';
import type { Refresh, Settled } from '../../automation/recovery.ts';
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

  it('takes the place of what was deleted for it, before what depends on that', () => {
    const deleted = { ...creating().resource, id: 'n/slow', inputs: { metadata: { name: 'slow', namespace: 'n' }, spec: 'old' }, pendingReplacement: true };
    const dependent = { urn: `${urn}-dependent`, type: 'kubernetes:core/v1:Pod', custom: true, dependencies: [urn] };
    const state = { resources: [deleted, dependent], pending_operations: [creating()] };
    assert.match(adoptPendingCreates(state)[0] ?? '', /^looked up slow/);
    assert.deepEqual(state.resources.map((resource) => resource.urn), [urn, dependent.urn]);
    assert.deepEqual([deleted.inputs, deleted.pendingReplacement], [creating().resource.inputs, false]);
  });

  it('is, of a release of Helm\'s, named by it', () => {
    const inputs = { name: 'strimzi', namespace: 'kafka', chart: 'oci://example/strimzi' };
    const state: StackState = { resources: [], pending_operations: [creating({ type: 'kubernetes:helm.sh/v3:Release', inputs })] };
    adoptPendingCreates(state);
    assert.deepEqual(state.resources?.map(({ id, outputs }) => [id, outputs]), [['kafka/strimzi', inputs]]);
  });

  it('is said with where to look for it in Google Cloud', () => {
    const inputs = { name: 'entrance', project: 'p', region: 'europe-west1' };
    const state = { resources: [], pending_operations: [creating({ type: 'gcp:compute/address:Address', inputs })] };
    assert.deepEqual(adoptPendingCreates(state), [
      'a killed process had begun to create slow (gcp:compute/address:Address): look for entrance in project p, region europe-west1 yourself, and delete it where it is there, as it cannot be made a second time',
    ]);
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
    const settled = async (refresh: Refresh, excluded: string[] = []): Promise<Settled> => settle(await read(), { files: { state, project: 'p', stack: 'dev' }, stack }, () => excluded, refresh);
    const failing = (): Promise<void> => Promise.reject(new Error('interrupted'));
    /** What the engine makes of an object that it finds: the provider keeps what the state says of its manager, and draws a name only where it says nothing. */
    const found = async (live: object = {}): Promise<void> => {
      const now = await read();
      await write({ ...now, resources: (now.resources ?? []).map((resource) => ({ ...resource, outputs: { __fieldManager: 'pulumi-kubernetes-drawn', ...resource.outputs, ...live }, initErrors: [] })) });
    };
    const managedBy = (...managers: (readonly [manager: string, second: number, operation?: string])[]): object => ({
      metadata: { managedFields: managers.map(([manager, second, operation = 'Apply']) => ({ manager, operation, time: `2026-01-01T00:00:0${String(second)}Z` })) },
    });
    const managers = async (): Promise<unknown[]> => ((await read()).resources ?? []).map(({ outputs }) => (outputs as { __fieldManager?: string }).__fieldManager);

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
      const { lines } = await settle(kept, { files: undefined, stack: elsewhere }, () => [], () => Promise.resolve(looked.push((kept.resources ?? []).map(({ id }) => id ?? ''))));
      assert.deepEqual([lines.length, looked], [1, [['n/slow']]]);
      kept = { resources: [] };
      assert.deepEqual(await settle(kept, { files: undefined, stack: elsewhere }, () => [], () => Promise.reject(new Error('nothing is to be looked up'))), { lines: [], halfInstalled: [] });
    });

    it('once it is no longer left alone', async () => {
      await settled(failing, [urn]);
      await settled(failing, [urn]);
      await assert.rejects(settled(failing), /interrupted/);
    });

    it('alone, so that nothing else is forgotten where its context leads to another cluster', async () => {
      await write({ resources: [{ ...creating().resource, urn: `${urn}-other`, id: 'n/other', outputs: {} }], pending_operations: [creating()] });
      const looked: unknown[] = [];
      await settled((which) => Promise.resolve(looked.push(which)));
      assert.deepEqual(looked, [{ target: [urn] }]);
    });

    it('not at all where nothing of it has an id', async () => {
      await write({ resources: [], pending_operations: [creating({ type: 'gcp:dns:RecordSet' })] });
      assert.equal((await settled(failing)).lines.length, 1);
    });

    describe('with the manager of its fields', () => {
      it('which is the one that applied it', async () => {
        await settled(() => found(managedBy(['kubectl', 3], ['strimzi-cluster-operator', 4, 'Update'], ['pulumi-kubernetes-ours', 1])));
        assert.deepEqual(await managers(), ['pulumi-kubernetes-ours']);
      });

      it('which is the last of Pulumi\'s, and no other object\'s of this stack', async () => {
        await write({ resources: [{ ...creating().resource, urn: `${urn}-label`, id: 'n/slow', outputs: { __fieldManager: 'pulumi-kubernetes-label' } }], pending_operations: [creating()] });
        const live = managedBy(['pulumi-kubernetes-earlier', 1], ['pulumi-kubernetes-ours', 2], ['pulumi-kubernetes-label', 3]);
        await settled(() => found(live));
        assert.deepEqual(await managers(), ['pulumi-kubernetes-label', 'pulumi-kubernetes-ours']);
      });

      it('which the provider draws where it had not applied it', async () => {
        await settled(() => found(managedBy(['kubectl', 3], ['pulumi-kubernetes-ours', 4, 'Update'])));
        assert.deepEqual(await managers(), [undefined]);
      });

      it('by the next run where this one ended before', async () => {
        await assert.rejects(settled(async () => {
          await found(managedBy(['pulumi-kubernetes-ours', 1]));
          throw new Error('interrupted');
        }), /interrupted/);
        let looked = 0;
        const refresh = (): Promise<void> => {
          looked += 1;
          return found();
        };
        await settled(refresh);
        await settled(refresh);
        assert.deepEqual([await managers(), looked], [['pulumi-kubernetes-ours'], 1]);
      });
    });

    describe('as a release that Helm had not ended to install', () => {
      const provider = 'urn:pulumi:dev::p::pulumi:providers:kubernetes::east';
      const status = (text: string) => ({ status: { status: text } });
      beforeEach(() => write({
        resources: [{ urn: provider, type: 'pulumi:providers:kubernetes', custom: true, id: 'i', inputs: { context: 'east' } }],
        pending_operations: [creating({ type: 'kubernetes:helm.sh/v3:Release', provider: `${provider}::i`, inputs: { name: 'strimzi', namespace: 'kafka' } })],
      }));

      it('until it has, or is gone', async () => {
        const halfInstalled = [{ name: 'strimzi', namespace: 'kafka', context: 'east' }];
        assert.deepEqual((await settled(() => found(status('pending-install')))).halfInstalled, halfInstalled);
        assert.deepEqual((await settled(() => found())).halfInstalled, halfInstalled);
        assert.deepEqual((await settled(() => found(status('deployed')))).halfInstalled, []);
        await settled(failing);
      });

      it('which is refused with what to do', () => {
        refuseHalfInstalled([]);
        assert.throws(() => { refuseHalfInstalled([{ name: 'strimzi', namespace: 'kafka', context: 'east' }, { name: 'cert-manager', namespace: 'certs', context: 'me@west (old)' }]); }, {
          name: 'UserError',
          message: 'Helm did not finish installing strimzi in namespace kafka of cluster east, cert-manager in namespace certs of cluster me@west (old): the run that began it was killed. Nothing was changed.',
          remedy: 'helm uninstall strimzi -n kafka --kube-context east && helm uninstall cert-manager -n certs --kube-context \'me@west (old)\'; then run `up` again, which installs it anew.',
        });
      });
    });
  });
});
