import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Consumer } from '@platformatic/kafka';
import { Membership } from '../../sandbox/bridge/membership.ts';

const [kept, lost] = [{ topic: 't', partition: 0 }, { topic: 't', partition: 1 }];

function member(): { consumer: EventEmitter & { generationId: number }; membership: Membership } {
  const consumer = Object.assign(new EventEmitter(), { generationId: 1 });
  return { consumer, membership: new Membership(consumer as unknown as Consumer, () => undefined) };
}

describe('bridge: membership of a group', () => {
  it('gives up at once what a rebalance between two polls gave to others, so that nothing is committed behind their backs', () => {
    const { consumer, membership } = member();
    consumer.emit('consumer:group:join', { assignments: [{ topic: 't', partitions: [0, 1] }] });
    membership.takeAssignment();
    assert.ok(membership.owns([kept, lost]));
    consumer.emit('consumer:group:join', { assignments: [{ topic: 't', partitions: [0] }] });
    assert.ok(membership.owns([kept]));
    assert.ok(!membership.owns([kept, lost]));
    // The next poll follows; what is committed after it is its own matter.
    membership.takeAssignment();
    assert.ok(membership.owns([kept]));
  });

  it('does not take up again between two polls what a rebalance gave to others and another gave back: they may have committed meanwhile', () => {
    const { consumer, membership } = member();
    for (const partitions of [[0, 1], [0], [0, 1]]) consumer.emit('consumer:group:join', { assignments: [{ topic: 't', partitions }] });
    assert.ok(membership.owns([kept]));
    assert.ok(!membership.owns([lost]));
    assert.deepEqual(membership.takeAssignment(), [kept, lost], 'the next poll has both');
    assert.ok(membership.owns([kept, lost]));
  });

  it('commits nothing by a generation whose assignment it does not know yet: the broker would take it, after others have read what was committed before', () => {
    const { consumer, membership } = member();
    assert.ok(!membership.owns([kept]), 'it has not joined');
    consumer.emit('consumer:group:join', { assignments: [{ topic: 't', partitions: [0] }] });
    membership.takeAssignment();
    assert.ok(membership.owns([kept]));
    consumer.generationId = 2;
    assert.ok(!membership.owns([kept]));
    consumer.emit('consumer:group:join', { assignments: [{ topic: 't', partitions: [0] }] });
    assert.ok(membership.owns([kept]));
  });
});
