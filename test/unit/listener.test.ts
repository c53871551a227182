import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { heard } from '../../automation/listener.ts';

describe('a listener', () => {
  it('is told every event', () => {
    const told: number[] = [];
    const tell = heard<number>((event) => { told.push(event); });
    tell(1);
    tell(2);
    assert.deepEqual(told, [1, 2]);
  });

  it('need not be there', () => {
    heard<number>(undefined)(1);
  });

  it('is told nothing more once it threw, of which the process warns and not the operation', async () => {
    const told: number[] = [];
    const tell = heard<number>((event) => { told.push(event); throw new Error('the client has gone'); });
    const warned = once(process, 'warning');
    tell(1);
    tell(2);
    assert.deepEqual(told, [1]);
    const [warning] = await warned as [Error];
    assert.equal(warning.name, 'ListenerWarning');
    assert.match(warning.message, /the client has gone/);
  });

  it('may not end the process by a promise that it leaves behind', async () => {
    const told: number[] = [];
    const listener = async (event: number): Promise<void> => { told.push(event); await Promise.reject(new Error('the client has gone too')); };
    const tell = heard<number>((event) => listener(event) as unknown as undefined);
    const warned = once(process, 'warning');
    tell(1);
    const [warning] = await warned as [Error];
    assert.match(warning.message, /the client has gone too/);
    tell(2);
    assert.deepEqual(told, [1]);
  });
});
