import assert from 'node:assert/strict';
import type { Answer } from '../../automation/clusterProbe.ts';
import { abandonedClusters, askClusters, skippedContexts } from '../../automation/reach.ts';
import { UserError } from '../../errors.ts';

describe('clusters that do not answer', () => {
  const cluster = (context: string, parts: string[], answer: Partial<Answer> = {}) => ({
    context, kubeconfig: '/k', parts, regions: parts.flatMap((part) => /^region (.+)/.exec(part)?.slice(1) ?? []),
    state: 'unreachable' as const, address: `https://${context}:6443`, detail: 'connection refused', ...answer,
  });
  const answering = cluster('west', ['region west'], { state: 'answers' });
  const refusalOf = (run: () => unknown): UserError => {
    try {
      run();
    } catch (error) {
      if (error instanceof UserError) return error;
    }
    throw new Error('nothing was refused');
  };

  it('stop an operation, with their address and the option that helps', () => {
    const { message, remedy, exitCode } = refusalOf(() => abandonedClusters('up', [answering, cluster('east', ['region east'])], {}));
    assert.equal(message, 'Cluster east (region east) does not answer at https://east:6443: connection refused.\nNothing was changed.');
    assert.match(remedy ?? '', /--skip-region east:/);
    assert.equal(exitCode, 1);
  });

  it('cannot be skipped where Kafka, TSB or tier1 stand in them', () => {
    assert.match(refusalOf(() => abandonedClusters('up', [cluster('kafka', ['Kafka'])], {})).remedy ?? '', /kafka cannot be left out/);
    const used = [cluster('one', ['tier1', 'region east'])];
    assert.match(refusalOf(() => skippedContexts(used, ['east'])).message, /Region east cannot be skipped: its cluster one has tier1 in it, too/);
  });

  it('are skipped with the traffic generators in them', () => {
    const east = cluster('c1', ['region east', 'the traffic generators']);
    assert.deepEqual([...skippedContexts([east, answering], ['east'])], [['east', 'c1']]);
    assert.match(refusalOf(() => abandonedClusters('up', [answering, east], {})).remedy ?? '', /--skip-region east:/);
    assert.match(refusalOf(() => abandonedClusters('up', [answering, cluster('c3', ['the traffic generators'])], {})).remedy ?? '', /c3 cannot be left out/);
    assert.equal(refusalOf(() => skippedContexts([cluster('c1', ['Kafka', 'TSB', 'region east', 'the traffic generators'])], ['east'])).message, 'Region east cannot be skipped: its cluster c1 has Kafka and TSB in it, too.');
  });

  it('are skipped by the names of regions that exist', () => {
    assert.deepEqual([...skippedContexts([cluster('c1', ['region east']), answering], ['east'])], [['east', 'c1']]);
    const { message, remedy, exitCode } = refusalOf(() => skippedContexts([answering], ['eats']));
    assert.deepEqual([message, remedy, exitCode], ['There is no region eats.', 'Regions: west.', 2]);
  });

  it('stop a destroy, which goes on without them only when told to', () => {
    const reached = [answering, cluster('east', ['region east'])];
    const refusal = refusalOf(() => abandonedClusters('destroy', reached, {}));
    assert.match(refusal.remedy ?? '', /--abandon-unreachable/);
    assert.equal(refusal.code, 'unreachable');
    assert.deepEqual(abandonedClusters('destroy', reached, { abandonUnreachable: true }).map(({ context }) => context), ['east']);
  });

  it('are never those that have too much to do: they are to be asked again', () => {
    const busy = cluster('east', ['region east'], { state: 'busy', detail: 'HTTP 429' });
    const { message, remedy, code } = refusalOf(() => abandonedClusters('destroy', [busy, cluster('west', ['region west'])], { abandonUnreachable: true }));
    assert.equal(message, 'Cluster east (region east) at https://east:6443 has too much to do: HTTP 429.\nCluster west (region west) does not answer at https://west:6443: connection refused.\nNothing was changed.');
    assert.deepEqual([remedy, code], ['Try again: an API server that answers so is there.', undefined]);
  });

  it('are never those that refuse the credentials', () => {
    const refusing = cluster('east', ['region east'], { state: 'refused', detail: 'HTTP 401: Unauthorized' });
    for (const other of [answering, cluster('west', ['region west'])]) {
      const { message, remedy, code } = refusalOf(() => abandonedClusters('destroy', [refusing, other], { abandonUnreachable: true }));
      // Waiting for the one that is away would not help.
      assert.equal(code, undefined);
      assert.match(message, /Cluster east \(region east\) at https:\/\/east:6443 refuses the credentials in \/k: HTTP 401: Unauthorized/);
      assert.match(remedy ?? '', /never taken for one that is gone/);
    }
    assert.throws(() => abandonedClusters('destroy', [answering, cluster('east', [], { state: 'unusable', address: '', detail: 'there is no such file' })], { abandonUnreachable: true }), /cannot be reached by \/k: there is no such file/);
  });

  it('may have another address than Google Cloud said at the last `up`, which another `up` asks for', () => {
    const gke = { ...cluster('east', ['region east']), kubeconfig: JSON.stringify({ clusters: [] }) };
    const moved = /^east may have another address now than Google Cloud said at the last `up`: where it has, run `up` first/;
    for (const operation of ['destroy', 'refresh']) {
      assert.match(refusalOf(() => abandonedClusters(operation, [answering, gke], {})).remedy ?? '', moved);
      assert.match(refusalOf(() => abandonedClusters(operation, [answering, { ...gke, state: 'unusable' as const }], {})).remedy ?? '', moved);
      assert.doesNotMatch(refusalOf(() => abandonedClusters(operation, [answering, { ...gke, state: 'refused' as const }], {})).remedy ?? '', /another address/);
    }
    const central = { ...gke, context: 'central', parts: ['tier1'], regions: [] };
    assert.equal(refusalOf(() => abandonedClusters('up', [answering, central], {})).remedy, 'central cannot be left out. Bring it back.', 'nobody has its kubeconfig to correct');
    assert.match(refusalOf(() => abandonedClusters('up', [{ ...central, state: 'refused' as const }], {})).message, /refuses the credentials in its kubeconfig: /);
  });

  it('are told from a kubeconfig that lies where the last `up` ran', () => {
    const absent = [answering, cluster('east', ['region east'], { state: 'unusable', address: '', detail: 'there is no such file' })];
    assert.match(refusalOf(() => abandonedClusters('destroy', absent, {})).remedy ?? '', /the one of the last `up`.*run `up` here first/);
    assert.doesNotMatch(refusalOf(() => abandonedClusters('up', absent, {})).remedy ?? '', /run `up` here first/);
    assert.doesNotMatch(refusalOf(() => abandonedClusters('destroy', [cluster('east', [], { state: 'refused' })], {})).remedy ?? '', /last `up`/);
  });

  it('are not believed when nobody answers at all', () => {
    assert.match(refusalOf(() => abandonedClusters('destroy', [cluster('east', []), cluster('west', [])], { abandonUnreachable: true })).remedy ?? '', /this machine's own network/);
  });

  it('are asked at the same time, unless only the engine knows where they are', async () => {
    let asked = 0;
    const probe = async (): Promise<Answer> => { asked += 1; await new Promise((resolve) => { setImmediate(resolve); }); assert.equal(asked, 2); return { state: 'answers', address: '', detail: '' }; };
    const used = [cluster('a', []), cluster('b', []), { ...cluster('gke', []), kubeconfig: undefined }];
    assert.deepEqual((await askClusters(used, undefined, probe)).map(({ context }) => context), ['a', 'b']);
  });
});
