import assert from 'node:assert/strict';
import { Command } from 'commander';
import { addDrill } from '../../automation/commands/drill.ts';
import { faultNames } from '../../automation/drill/faults/names.ts';
import type { Session } from '../../automation/session.ts';
import { aimOf, aims, variants } from '../../bench/drill-aims.ts';

describe('the bench of drills', () => {
  it('repeats only faults that there are', () => {
    const known: readonly string[] = faultNames;
    assert.deepEqual(Object.keys(aims).filter((name) => !known.includes(name)), []);
  });

  it('asks of everything that is silent in a cluster or a network to be found within what was predicted', () => {
    for (const fault of ['bridge-hang', 'gateway-black-hole', 'region-black-hole']) assert.match(aims[fault]?.aim ?? '', /gap ≤ predicted/, fault);
    assert.equal(aims['region-black-hole']?.repeat, 5);
  });

  it('asks of a client that sends again to lose nothing under a kill', () => {
    const retrying = variants['client-retry'] ?? assert.fail();
    assert.deepEqual(retrying.flags, ['--retry', 'always']);
    assert.deepEqual(aimOf(retrying, 'bridge-kill'), { repeat: 20, aim: '0 failed, 0 unknown' });
    assert.deepEqual(aimOf(retrying, 'bridge-hang'), aims['bridge-hang']);
    assert.deepEqual(aimOf({}, 'bridge-kill'), aims['bridge-kill']);
    assert.deepEqual(aimOf({}, 'istiod-down'), { repeat: 5, aim: '' });
  });

  for (const [name, { flags = [] }] of Object.entries(variants)) {
    it(`gives flags that a drill takes where it is ${name}`, () => {
      const program = new Command();
      addDrill(program, {} as Session);
      const [drill] = program.commands;
      assert.deepEqual(drill?.exitOverride().parseOptions([...flags]), { operands: [], unknown: [] });
    });
  }
});
