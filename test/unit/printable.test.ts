import assert from 'node:assert/strict';

import { printable } from '../../automation/printable.ts';

describe('text for a terminal', () => {
  it('keeps its lines and tabs, and no command for the terminal', () => {
    assert.equal(printable('a\n\tb ö “c” 🙂'), 'a\n\tb ö “c” 🙂');
    assert.equal(printable('502 bad \u001b]0;owned\u0007\u001b[1A\u001b[2K all well'), '502 bad  all well');
    assert.equal(printable('a\u202ecod.exe \u2066b\u2069'), 'a\\u202ecod.exe \\u2066b\\u2069');
    assert.equal(printable('one\r\ntwo\rthree\u0007\u009b\u0000'), 'one\ntwo\ufffdthree\ufffd\ufffd\ufffd');
  });
});
