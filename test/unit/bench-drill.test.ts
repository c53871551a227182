import assert from 'node:assert/strict';
import { Command } from 'commander';
import { addDrill } from '../../automation/commands/drill.ts';
import { faultNames } from '../../automation/drill/faults/names.ts';
import type { Session } from '../../automation/session.ts';
import { aimOf, aims, variants } from '../../bench/drill-aims.ts';
import { aimText, missed, resultOf } from '../../bench/drill-result.ts';
import type { Judged } from '../../bench/drill-result.ts';

describe('the bench of drills', () => {
  it('repeats only faults that there are', () => {
    const known: readonly string[] = faultNames;
    assert.deepEqual(Object.keys(aims).filter((name) => !known.includes(name)), []);
  });

  it('asks of everything that is silent in a cluster or a network to be found within what was predicted', () => {
    for (const fault of ['bridge-hang', 'gateway-black-hole', 'region-black-hole']) assert.equal(aims[fault]?.aim.timesPredicted, 1, fault);
    assert.equal(aims['region-black-hole']?.repeat, 5);
  });

  it('asks of a client that sends again to lose nothing under a kill', () => {
    const retrying = variants['client-retry'] ?? assert.fail();
    assert.deepEqual(retrying.flags, ['--retry', 'always']);
    assert.deepEqual(aimOf(retrying, 'bridge-kill'), { repeat: 20, aim: { lostPerConnection: 0 } });
    assert.deepEqual(aimOf(retrying, 'bridge-hang'), aims['bridge-hang']);
    assert.deepEqual(aimOf({}, 'bridge-kill'), aims['bridge-kill']);
    assert.deepEqual(aimOf({}, 'istiod-down'), { repeat: 5, aim: {} });
  });

  it('holds a cut from Kafka for longer than the gap may last that is aimed at', () => {
    const { aim, held } = aims['bridge-cut-from-kafka'] ?? assert.fail();
    assert.equal(aim.gapWorstMs, 11_000);
    assert.ok((held?.forSeconds ?? 0) * 1000 > 11_000 + 2_000, 'it takes a while to see that it took hold');
    assert.ok((held?.durationSeconds ?? 0) * 2 / 3 > (held?.forSeconds ?? Infinity), 'it begins after a third of the load');
  });

  const drill = (blackoutMs: number, more: Partial<Judged> = {}): Judged => ({
    verdict: 'pass', produce: { failed: 0, unknown: 4, blackoutMs }, consume: { blackoutMs: 6_000 }, log: { ackedLost: 0, duplicates: { unexplained: 0 } }, predicted: { produceBlackoutMs: 1_000 }, ...more,
  });
  const kill = aims['bridge-kill']?.aim ?? {};

  it('says of a series whether it met what is aimed at', () => {
    assert.equal(aimText(kill, 4), '≤ 4 lost, gap median ≤ 60 ms, gap worst ≤ 150 ms, consumers ≤ 8000 ms, ≤ 1.5 times predicted');
    assert.deepEqual(missed(resultOf([drill(50), drill(60), drill(150)]), kill, 4), []);
    assert.deepEqual(missed(resultOf([drill(61), drill(62), drill(151)]), kill, 4), ['gap median 62 ms of 60 ms', 'gap worst 151 ms of 150 ms']);
    assert.deepEqual(missed(resultOf([drill(50)]), kill, 3), ['lost 4 of 3']);
    assert.deepEqual(missed(resultOf([drill(50)]), variants['assigned']?.aims?.['bridge-kill'] ?? {}, 4), ['consumers worst 6000 ms of 1000 ms']);
    assert.deepEqual(missed(resultOf([drill(50)]), variants['client-retry']?.aims?.['bridge-kill'] ?? {}, 4), ['lost 4 of 0']);
    assert.deepEqual(missed(resultOf([drill(11_001, { predicted: { produceBlackoutMs: 8_300 } })]), aims['bridge-cut-from-kafka']?.aim ?? {}, 4), ['gap worst 11001 ms of 11000 ms']);
  });

  it('asks of every fault for one and a half times what was predicted, and of what is silent for that', () => {
    assert.deepEqual(missed(resultOf([drill(1_400)]), {}, 4), []);
    assert.deepEqual(missed(resultOf([drill(1_600)]), {}, 4), ['of predicted 1.60 times of 1.50 times']);
    assert.deepEqual(missed(resultOf([drill(1_400)]), aims['bridge-hang']?.aim ?? {}, 4), ['of predicted 1.40 times of 1.00 times']);
    const { predicted, ...unknown } = drill(50);
    assert.ok(predicted);
    assert.deepEqual([missed(resultOf([unknown]), {}, 4), missed(resultOf([unknown]), aims['bridge-hang']?.aim ?? {}, 4)], [[], ['of predicted not measured']]);
  });

  it('counts damage of every drill, and figures of conclusive ones alone', () => {
    const damaged = drill(9_999, { verdict: 'fail', reason: 'no region served', log: { ackedLost: 2, duplicates: { unexplained: 1 } } });
    const result = resultOf([drill(50), drill(9_999, { verdict: 'inconclusive' }), damaged]);
    assert.deepEqual([result.conclusive, result.gapWorstMs], [1, 50]);
    assert.deepEqual(missed(result, kill, 4), ['1 ended themselves', '2 acknowledged and lost', '1 duplicates unexplained']);
    assert.deepEqual(missed(resultOf([drill(9_999, { verdict: 'inconclusive' })]), kill, 4), []);
  });

  it('misses its aim where a drill ended itself, whose gap nobody knows', () => {
    const aborted = drill(10_480, { verdict: 'aborted', reason: 'no region served a request for 10 s' });
    assert.deepEqual(missed(resultOf([drill(50), aborted, aborted]), kill, 4), ['2 ended themselves']);
    assert.deepEqual(missed(resultOf([aborted]), kill, 4), ['1 ended themselves']);
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
