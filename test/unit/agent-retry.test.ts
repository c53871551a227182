import assert from 'node:assert/strict';
import { ApiError } from '../../sandbox/agent/api.ts';
import { untilAnswered } from '../../sandbox/agent/retry.ts';

describe('A call that must not be lost', () => {
  const { signal } = new AbortController();
  const failing = (times: number, error: Error) => {
    let left = times;
    return () => left-- > 0 ? Promise.reject(error) : Promise.resolve();
  };

  it('is tried until there is an answer', async () => {
    assert.equal(await untilAnswered(failing(2, new ApiError('busy', 503)), { signal, what: 'test' }), undefined);
  });

  it('is not tried again when it was refused', async () => {
    const refusal = await untilAnswered(failing(1, new ApiError('no', 422)), { signal, what: 'test' });
    assert.equal(refusal?.code, 422);
  });

  it('is given up when it is pointless', async () => {
    let tries = 0;
    await untilAnswered(() => { tries += 1; return Promise.reject(new Error('cut off')); }, { signal, what: 'test', pointless: () => tries === 2 });
    assert.equal(tries, 2);
  });
});
