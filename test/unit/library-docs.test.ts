import assert from 'node:assert/strict';
import { inRepository } from './examples-fixtures.ts';

describe('the page about the library', () => {
  it('shows the example whose types are checked', () => {
    const [, shown] = /^```ts\n([^]*?)^```$/m.exec(inRepository('docs/library.md')) ?? [];
    assert.equal(shown, inRepository('docs/library.ts'));
  });

  it('names every code of an error, and no other', () => {
    const [, union = ''] = /type ErrorCode = (.*);/.exec(inRepository('errors.ts')) ?? [];
    const table = inRepository('docs/library.md').split('\n').flatMap((line) => /^\| `([a-z-]+)` \|/.exec(line)?.slice(1) ?? []);
    assert.deepEqual(table, [...union.matchAll(/'([a-z-]+)'/g)].map(([, code]) => code));
  });
});
