import assert from 'node:assert/strict';
import { ApiError } from '../../sandbox/agent/api.ts';
import type { Api, WatchEvent } from '../../sandbox/agent/api.ts';
import { inform } from '../../sandbox/agent/informer.ts';
import type { Stored } from '../../sandbox/agent/types.ts';

const object = (name: string, version: string, uid = name): Stored => ({ metadata: { name, uid, resourceVersion: version } });

/** An API server that answers lists in turn, and watches by what the test says for each. */
function server(lists: Stored[][], watches: ((path: string) => AsyncGenerator<WatchEvent<Stored>>)[]): Api & { watched: string[] } {
  const watched: string[] = [];
  return {
    watched,
    call: <T>() => Promise.resolve({ metadata: { resourceVersion: '10' }, items: lists.shift() ?? null } as T),
    async *watch<T>(path: string, signal: AbortSignal) {
      watched.push(path);
      const next = watches.shift();
      if (next !== undefined) return yield* next(path) as AsyncGenerator<WatchEvent<T>>;
      await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
    },
  };
}

async function* failing(error: Error): AsyncGenerator<WatchEvent<Stored>> {
  yield* [];
  throw error;
}

const tooOld = () => failing(new ApiError('too old', 410));

describe('A watched collection', () => {
  const over = new AbortController();
  after(() => { over.abort(); });

  /** What was told until the nth word. */
  async function told(api: Api, words: number, failed: (error: unknown) => void = () => undefined): Promise<string[]> {
    const said: string[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const say = (word: string) => { if (said.push(word) === words) resolve(undefined); };
    inform<Stored>(api, {
      path: '/x', failed,
      changed: ({ metadata: { name, resourceVersion } }, before) => { say(`${before === undefined ? '+' : '~'}${name}@${resourceVersion}`); },
      deleted: ({ metadata: { name } }) => { say(`-${name}`); },
    }, over.signal);
    await promise;
    return said;
  }

  it('is listed, then watched from there on', async () => {
    const api = server([[object('a', '1')]], [async function* () {
      yield { type: 'ADDED', object: object('b', '11') };
      yield { type: 'MODIFIED', object: object('a', '12') };
      yield { type: 'BOOKMARK', object: object('', '13') };
      yield { type: 'DELETED', object: object('b', '14') };
    }]);
    assert.deepEqual(await told(api, 4), ['+a@1', '+b@11', '~a@12', '-b']);
    assert.match(api.watched[0] ?? '', /resourceVersion=10$/);
  });

  it('is listed anew when its version is too old, and tells what went meanwhile', async () => {
    const api = server([[object('a', '1'), object('b', '2')], [object('b', '2'), object('c', '3')]], [tooOld]);
    assert.deepEqual(await told(api, 4), ['+a@1', '+b@2', '-a', '+c@3']);
  });

  it('tells an object that was made anew under its name as gone and new', async () => {
    assert.deepEqual(await told(server([[object('a', '1', 'first')], [object('a', '5', 'second')]], [tooOld]), 3), ['+a@1', '-a', '+a@5']);
  });

  it('goes on from where it was when the connection is cut, and says so once', async () => {
    const failures: unknown[] = [];
    const cut = () => failing(new Error('cut'));
    const api = server([[object('a', '1')]], [cut, cut, async function* () { yield { type: 'MODIFIED', object: object('a', '20') }; }]);
    assert.deepEqual(await told(api, 2, (error) => failures.push(error)), ['+a@1', '~a@20']);
    assert.equal(failures.length, 1);
  });

  it('survives a handler that throws', async () => {
    const failures: unknown[] = [];
    const seen: string[] = [];
    const { synced } = inform<Stored>(server([[object('a', '1'), object('b', '2')]], []), {
      path: '/x', failed: (error) => failures.push(error),
      changed: ({ metadata: { name } }) => { seen.push(name); throw new Error('odd'); },
    }, over.signal);
    await synced;
    assert.deepEqual([seen, failures.length], [['a', 'b'], 2]);
  });
});
