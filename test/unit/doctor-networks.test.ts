import assert from 'node:assert/strict';

import { lineOf } from '../../automation/doctor/finding.ts';
import { judgeNetworks } from '../../automation/doctor/networks.ts';
import { configuration } from './doctor-fixtures.ts';

describe('doctor: networks of regions', () => {
  const judged = (setup: object | undefined): string[] => judgeNetworks({ configuration: configuration({
    regions: ['east', 'west'].map((name) => ({ name, context: name, tsbCluster: `${name}-1` })),
    tsb: { context: 'east', organization: 'tetrate', tenant: 'kafka', ...setup === undefined ? {} : { setup } },
    tier1: { context: 'central', tsbCluster: 'central-1' },
  }) }).map(lineOf);
  const networks = { 'central-1': 'edge', 'east-1': 'n1', 'west-1': 'n2' };

  it('are said to part regions, each way by itself', () => {
    assert.deepEqual(judged({ networks, reachability: { edge: ['n1', 'n2'], n1: ['n2'] } }), [
      'warning    networks  west  its network n2 does not reach that of east (n1): without a bridge of its own it answers 503 for the half second until tier1 leaves it. If packets can go that way, add to tsb.setup.reachability.n2: n1.',
    ]);
    assert.equal(judged({ networks, reachability: { edge: ['n1', 'n2'] } }).length, 2);
  });

  it('are no matter where regions share one, reach each other, or somebody else says what they reach', () => {
    assert.deepEqual(judged({ networks: { ...networks, 'west-1': 'n1' }, reachability: { edge: ['n1'] } }), []);
    assert.deepEqual(judged({ networks, reachability: { edge: ['n1', 'n2'], n1: ['n2'], n2: ['n1'] } }), []);
    assert.deepEqual(judged({ networks }), []);
    assert.deepEqual(judged({ networks: { 'central-1': 'edge', 'east-1': 'n1' }, reachability: { edge: ['n1'] } }), [], 'west’s network is not known');
    assert.deepEqual(judged(undefined), []);
  });
});
