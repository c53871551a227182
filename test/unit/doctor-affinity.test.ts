import assert from 'node:assert/strict';

import { judgeAffinity } from '../../automation/doctor/affinity.ts';
import { lineOf } from '../../automation/doctor/finding.ts';
import { configuration } from './doctor-fixtures.ts';

describe('doctor: consumers of a region of several bridges', () => {
  const judged = (change: object): string[] => judgeAffinity({ configuration: configuration({
    regions: [{ name: 'east', context: 'east', tsbCluster: 'east-1' }, { name: 'west', context: 'west', tsbCluster: 'west-1', replicas: 2 }], ...change,
  }) }).map(lineOf);

  it('are at one bridge by the program’s EnvoyFilter, and else at any', () => {
    assert.deepEqual(judged({}), []);
    assert.deepEqual(judged({ tsb: { context: 'east', organization: 'tetrate', tenant: 'kafka', envoyFilters: 'none' } }), [
      'warning    consumers  west  has 2 bridges, and nothing keeps what is asked of a group at one of them: another answers 404 to a consumer that it does not know. '
      + 'If anybody consumes there, set regions[1].replicas to 1, or leave tsb.envoyFilters and bridge.service at their defaults.',
    ]);
    assert.equal(judged({ bridge: { service: 'strimzi' } }).length, 1);
  });
});
