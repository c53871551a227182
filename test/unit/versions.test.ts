import assert from 'node:assert/strict';

import { checkVersions } from '../../config/checks/versions.ts';
import { bridgesFor, operatorRelease, operatorReleases } from '../../config/versions.ts';

describe('versions: the bridges that an operator can run', () => {
  const runs: readonly [operators: string, bridges: string][] = [
    ['0.36.0 0.36.1 0.37.0 0.38.0 0.39.0 0.40.0 0.41.0', '0.26.0 0.26.1 0.27.0 0.28.0'],
    ['0.42.0 0.43.0 0.44.0 0.45.0 0.45.1 0.45.2', '0.29.0 0.30.0 0.31.1 0.31.2'],
    ['0.46.0 0.46.1 0.47.0 0.48.0 0.49.0 0.49.1 0.50.0 0.50.1 0.51.0', '0.32.0 0.33.1'],
    ['1.0.0 1.0.1', '1.0.0'],
    ['1.1.0 1.2.0', '1.0.0 1.1.0'],
  ];
  const pairs = runs.flatMap(([operators, bridges]) => operators.split(' ').map((operator) => [operator, bridges.split(' ')] as const));

  for (const [operator, bridges] of pairs) it(`${operator}: ${bridges.join(', ')}`, () => { assert.deepEqual(bridgesFor(operatorRelease(operator) ?? assert.fail()), bridges); });

  it('are known of every release, its own among them', () => {
    assert.deepEqual(pairs.map(([operator]) => operator), operatorReleases.map(({ operator }) => operator));
    for (const release of operatorReleases) assert.ok(bridgesFor(release).includes(release.bridge), release.operator);
  });

  it('are named where another one is asked for', () => {
    for (const [operator, version, bridges] of [
      ['1.0.1', '1.1.0', '1.0.0'],
      ['0.41.0', '0.31.2', '0.26.0, 0.26.1, 0.27.0, 0.28.0'],
      ['0.45.2', '0.28.0', '0.29.0, 0.30.0, 0.31.1, 0.31.2'],
    ] as const) {
      const [finding, ...more] = checkVersions({ operators: { strimzi: { version: operator } }, bridge: { version }, existingKafka: undefined });
      assert.deepEqual([finding?.path, finding?.allowed, more], [['bridge', 'version'], `a bridge that the operator ${operator} can run (operators.strimzi.version): ${bridges}`, []]);
    }
  });
});
