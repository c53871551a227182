import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Consumer } from '@platformatic/kafka';
import { Membership } from '../../sandbox/bridge/membership.ts';

describe('bridge: membership of a group', () => {
  it('gives up at once what a rebalance between two polls gave to others, so that nothing is committed behind their backs', () => {
    const consumer = new EventEmitter();
    const membership = new Membership(consumer as unknown as Consumer, () => undefined);
    const [kept, lost] = [{ topic: 't', partition: 0 }, { topic: 't', partition: 1 }];
    assert.ok(membership.owns([kept, lost]));
    consumer.emit('consumer:group:join', { assignments: [{ topic: 't', partitions: [0] }] });
    assert.ok(membership.owns([kept]));
    assert.ok(!membership.owns([kept, lost]));
    // The next poll follows; what is committed after it is its own matter.
    membership.takeAssignment();
    assert.ok(membership.owns([kept]));
  });
});
