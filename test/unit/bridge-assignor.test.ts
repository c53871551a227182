import assert from 'node:assert/strict';
import type { ClusterMetadata, ExtendedGroupProtocolSubscription } from '@platformatic/kafka';
import { rangeAssignor } from '../../sandbox/bridge/assignor.ts';

function assigned(members: Record<string, string[]>, counts: Record<string, number>): Record<string, Record<string, number[]>> {
  const metadata = { topics: new Map(Object.entries(counts).map(([topic, partitionsCount]) => [topic, { partitionsCount }])) } as unknown as ClusterMetadata;
  const subscriptions = new Map(Object.entries(members).map(([memberId, topics]): [string, ExtendedGroupProtocolSubscription] => [memberId, { memberId, topics, version: 1 }]));
  const result = rangeAssignor('', subscriptions, new Set(Object.keys(counts)), metadata);
  return Object.fromEntries(result.map(({ memberId, assignments }) => [memberId, Object.fromEntries([...assignments].map(([topic, { partitions }]) => [topic, partitions]))]));
}

describe('bridge: range assignment', () => {
  it('gives the first members, by id, one partition more', () => assert.deepEqual(assigned({ b: ['t'], a: ['t'] }, { t: 3 }), { a: { t: [0, 1] }, b: { t: [2] } }));
  it('begins anew with each topic', () => assert.deepEqual(assigned({ a: ['t', 'u'], b: ['t', 'u'] }, { t: 1, u: 1 }), { a: { t: [0], u: [0] }, b: {} }));
  it('gives nobody a topic that was not subscribed', () => assert.deepEqual(assigned({ a: ['t'], b: ['u'] }, { t: 2, u: 1 }), { a: { t: [0, 1] }, b: { u: [0] } }));
});
