import assert from 'node:assert/strict';

import { reasonOf as reasonOfCheck } from '../../components/checks/problem.ts';
import { reasonOf } from '../../components/cluster-client.ts';
import { firstLineOf, messageOf } from '../../errors.ts';

describe('what an error says', () => {
  const refused = (address: string): Error => Object.assign(new Error(`connect ECONNREFUSED ${address}:1`), { code: 'ECONNREFUSED' });
  const nowhere = Object.assign(new AggregateError([refused('::1'), refused('127.0.0.1')]), { code: 'ECONNREFUSED' });

  it('is its message, or the text of what else was thrown', () => {
    assert.deepEqual(['enough', new Error('enough'), new AggregateError([new Error('one')], 'enough')].map(messageOf), ['enough', 'enough', 'enough']);
    assert.equal(firstLineOf(new Error('\nenough\nusage: …')), 'enough');
  });

  it('is what the last says where it stands for several, else its code', () => {
    assert.equal(messageOf(nowhere), 'connect ECONNREFUSED 127.0.0.1:1');
    assert.deepEqual([Object.assign(new Error(''), { code: 'EPIPE' }), Object.assign(new AggregateError([]), { code: 'EPIPE' }), new Error('')].map(messageOf), ['EPIPE', 'EPIPE', '']);
  });

  it('is there once in a reason, with what is behind it', () => {
    const failed = new Error('fetch failed', { cause: nowhere });
    for (const reason of [reasonOfCheck, reasonOf]) assert.equal(reason(failed), 'fetch failed: connect ECONNREFUSED 127.0.0.1:1');
    const late = Object.assign(new AggregateError([new Error('late'), refused('127.0.0.1')]), { code: 'ERR_SOCKET_CONNECTION_TIMEOUT' });
    assert.equal(reasonOfCheck(late), 'connect ECONNREFUSED 127.0.0.1:1');
    assert.equal(reasonOfCheck(Object.assign(new Error('broken'), { code: 'EPIPE' })), 'broken (EPIPE)');
  });
});
