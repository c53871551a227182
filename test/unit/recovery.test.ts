import assert from 'node:assert/strict';
import { adoptPendingCreates } from '../../automation/recovery.ts';

describe('what a killed engine was creating', () => {
  const urn = 'urn:pulumi:dev::p::kubernetes:core/v1:Pod::slow';
  const creating = (more: object = {}) => ({ type: 'creating', resource: { urn, type: 'kubernetes:core/v1:Pod', custom: true, inputs: { metadata: { name: 'slow', namespace: 'n' } }, ...more } });

  it('enters the state under the id that it has in its cluster, to be looked up', () => {
    const state = { resources: [], pending_operations: [creating(), { ...creating(), type: 'updating' }] };
    assert.match(adoptPendingCreates(state)[0] ?? '', /looked up slow \(kubernetes:core\/v1:Pod\)/);
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
});
