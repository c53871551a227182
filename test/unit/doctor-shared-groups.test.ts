import assert from 'node:assert/strict';

import { lineOf } from '../../automation/doctor/finding.ts';
import { judgeSharedGroups } from '../../automation/doctor/shared-groups.ts';
import { configuration } from './doctor-fixtures.ts';

describe('doctor: groups of gateways', () => {
  const judged = (tsb: object): string[] => judgeSharedGroups({ configuration: configuration({
    regions: ['east', 'west'].map((name) => ({ name, context: name, tsbCluster: `${name}-1`, gateway: { name: `${name}-gw` } })),
    tsb: { context: 'east', organization: 'tetrate', tenant: { existing: 'kafka' }, workspaces: { bridges: { existing: 'b' } }, settings: { bridges: 's' }, api: 'tier1gateway', ...tsb },
    tier1: { context: 'central', tsbCluster: 'central-1' },
  }) }).map(lineOf);

  it('hold one of the deprecated kind each, as its host name is to be one gateway’s in a cluster', () => {
    for (const [group, groups] of [['all', { bridges: 'all' }], ['theirs', { existing: { regions: { east: 'theirs', west: 'theirs' } } }]] as const) {
      assert.deepEqual(judged({ groups }), [
        `warning    groups  ${group}  has the gateways of east and west, so that each cluster gets the same host name from 2 IngressGateways: TSB wants it from one. `
        + 'Give each region a group of its own: without tsb.groups.bridges, or by tsb.groups.existing.regions; or choose tsb.api: gateway.',
      ]);
    }
  });

  it('are as they should be where each region has its own, or the kind is the unified one', () => {
    assert.deepEqual(judged({}), []);
    assert.deepEqual(judged({ groups: { bridges: 'all', existing: { regions: { east: 'theirs' } } } }), []);
    assert.deepEqual(judged({ api: 'gateway', groups: { bridges: 'all' } }), []);
  });
});
