import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { renderSelfTest, selfTest } from '../../automation/drill/self-test/index.ts';
import { plants } from '../../automation/drill/self-test/plants.ts';
import type { check } from '../../automation/drill/checker.ts';

const drill = fileURLToPath(new URL('../../automation/drill/', import.meta.url));

/** One rule of the checker, taken out or turned: file, what stands there, what stands there instead. */
const mutations: readonly (readonly [rule: string, file: string, from: string, to: string])[] = [
  ['lost records', 'checker.ts', 'if (this.#places.copiesOf(number) === 0) {', 'if (false) {'],
  ['answered offsets', 'checker.ts', 'this.#places.holds(place, number) === false', 'false'],
  ['two records at one place', 'checker.ts', 'if (!this.#places.put(record, number)) {', 'if (this.#places.put(record, number) && false) {'],
  ['records that nobody sent', 'checker.ts', 'const hasKey = number >= 0 && ', 'const hasKey = number < 0 || '],
  ['keys', 'checker.ts', 'number >= 0 && this.ledger.hasKey(number, record);', 'number >= 0;'],
  ['values', 'checker.ts', 'if (hasKey && record.altered !== true) return;', 'if (hasKey) return;'],
  ['missing keys', 'check/ledger.ts', 'key !== undefined && this.#keys', 'key === undefined || this.#keys'],
  ['other runs', 'checker.ts', 'return id?.run === this.#run ? this.ledger.find(id) : foreign;', 'return id ? this.ledger.find(id) : foreign;'],
  ['records answered as not written', 'checker.ts', "} else if (outcome === 'failed') {", '} else if (false) {'],
  ['unknown outcomes', 'checker.ts', "if (outcome === 'unknown') {", "if (outcome !== 'ok') {"],
  ['copies', 'checker.ts', 'if (count === 1) continue;', 'if (count >= 1) continue;'],
  ['copies of clients', 'checker.ts', 'const byClient = Math.min(extra, possible.byClient);', 'const byClient = 0;'],
  ['copies of proxies', 'checker.ts', 'const byProxy = Math.min(extra - byClient, possible.byProxy);', 'const byProxy = 0;'],
  ['what nothing explains', 'checker.ts', 'unexplained: extra - byClient - byProxy', 'unexplained: 0'],
  ['order', 'check/order.ts', 'if (offset.at(acknowledgement) > above) continue;', 'if (offset.at(acknowledgement) > -2) continue;'],
  ['order only of those answered before', 'check/order.ts', 'lastBelow(ends, sent.at(acknowledgement))', 'lastBelow(ends, Infinity)'],
  ['order by key', 'check/order.ts', 'const group = groupOf(record.at(i), partition.at(i));', 'const group = i;'],
  ['order by producer', 'check/order.ts', '* ledger.producers + ledger.producerOf(number)', ''],
  ['order of what was not answered', 'check/order.ts', 'if (other.offset < above) yield', 'if (other.offset < -2) yield'],
  ['order of it only behind those answered before', 'check/order.ts', 'lastBelow(ends, ledger.issuedOf(other.record))', 'lastBelow(ends, Infinity)'],
  ['order of copies', 'checker.ts', 'if (copies > 1 || (copies === 1 && ', 'if ((copies > 0 && '],
  ['copies that were answered', 'checker.ts', '.filter((place) => !told.has(', '.filter((place) => true || told.has('],
  ['one attempt that is told of twice', 'check/ledger.ts', '| 1 << Math.min(attempt.attempt, 30)', '* 2 + 1'],
  ['what consumers were given', 'checker.ts', 'if (isSame && delivery.altered !== true) return isFirst;', 'return isFirst;'],
  ['what was altered on the way to consumers', 'checker.ts', 'if (isSame && delivery.altered !== true) return isFirst;', 'if (isSame) return isFirst;'],
  ['skips', 'check/consumption.ts', "offset < position ? 'skipped' : 'undelivered'", "offset < -1 ? 'skipped' : 'undelivered'"],
  ['tails', 'check/consumption.ts', "offset < position ? 'skipped' : 'undelivered'", "offset < Infinity ? 'skipped' : 'undelivered'"],
  ['redeliveries after a commit', 'check/consumption.ts', 'if (offset < committed) {', 'if (offset < committed - 1e9) {'],
  ['redeliveries before a commit', 'check/consumption.ts', 'partition.committedBefore(askedMs)', 'partition.highestCommit'],
  ['which commits were answered', 'check/consumption.ts', 'if (unanswered === true) this', 'if (unanswered === undefined) this'],
  ['redeliveries at the moment of a commit', 'check/consumption.ts', 'this.#times.lastBelow(tMs)', 'this.#times.lastBelow(tMs + 1e-9)'],
  ['redeliveries', 'check/consumption.ts', 'if (!isFirst) this.#redelivered += 1;', ''],
  ['what was delivered', 'check/consumption.ts', 'delivered += 1;\n          return;', 'return;'],
  ['deliveries that went back', 'check/consumption.ts', 'this.#backwards += 1;', ''],
  ['who reads a partition of a group', 'check/consumption.ts', "this.#mode === 'assign' ? '' : instance", "''"],
  ['who reads a partition of one\'s own', 'check/consumption.ts', "this.#mode === 'assign' ? '' : instance", 'instance'],
  ['skips below what was given', 'check/consumption.ts', 'Math.max(partition.position, partition.highestCommit,', 'Math.max(partition.highestCommit,'],
  ['skips below what was committed', 'check/consumption.ts', 'partition.position, partition.highestCommit, committed?.[number] ?? 0)', 'partition.position)'],
  ['order within an answer', 'check/consumption.ts', 'delivery.askedMs === last.askedMs', 'false'],
  ['order only within an answer', 'check/consumption.ts', 'delivery.askedMs === last.askedMs', 'true'],
  ['commits that are gone', 'check/consumption.ts', 'if (there >= least) continue;', 'if (there >= -1) continue;'],
  ['commits that one without an answer took back', 'check/consumption.ts', 'Math.min(highestCommit, leastUnanswered)', 'highestCommit'],
  ['commits that a group refuses', 'check/consumption.ts', "this.#mode === 'assign' ? Math.min", 'true ? Math.min'],
  ['commits that were refused to the end', 'check/consumption.ts', 'there >= position) continue;', 'there >= -1) continue;'],
  ['commits that were carried out though they were refused', 'check/consumption.ts', '|| there >= position) continue;', ') continue;'],
  ['which commits were tried to the end', 'check/consumption.ts', 'notCommitted[number] === undefined || ', ''],
  ['the clock, by a request that is sent before it is handed over', 'checker.ts', 'sentMs < issuedMs ||', ''],
  ['the clock, by an answer before its request', 'checker.ts', '|| endMs < sentMs', ''],
  ['the clock, by an answer to a poll before it was asked', 'checker.ts', 'if (tMs < askedMs)', 'if (false)'],
  ['the clock, by the order of answers to a consumer', 'checker.ts', 'if (tMs < last)', 'if (false)'],
  ['the clock, by what is given before it was sent', 'checker.ts', 'if (number >= 0 && tMs + this.#clocksMs <', 'if (number >= 0 && tMs + Infinity <'],
  ['how far clocks may be off each other', 'checker.ts', 'tMs + this.#clocksMs <', 'tMs <'],
  ['the clock, by the order of records', 'checker.ts', 'for (const record of this.ledger.issuedBackwards())', 'for (const record of [] as number[])'],
  ['what a clock that went back leaves undecided', 'checker.ts', 'const steady = this.#clockJumps === 0;', 'const steady = true;'],
  ['commits that are gone, while the clock went back', 'check/consumption.ts', 'steadyClock && committed !== undefined', 'committed !== undefined'],
  ['runs that were ended early, in their log', 'checker.ts', 'if (this.#isCut && number < 0 && id?.run === this.#run) return;', ''],
  ['runs that were ended early, by what was given', 'checker.ts', 'if (this.#isCut && this.#places.at(delivery) === undefined) return isFirst;', ''],
  ['runs that came to their end', 'checker.ts', 'this.#isCut = isCut;', 'this.#isCut = true;'],
  ['when a record was first sent', 'check/ledger.ts', 'Math.min(this.#issued.at(found), issuedMs)', 'issuedMs'],
  ['what proxies repeat of a refused attempt', 'check/ledger.ts', "proxyAttempts > 1 && attempt.outcome !== 'failed')", 'proxyAttempts > 1)'],
  ['acknowledged places where another record lies', 'checker.ts', 'this.#misplaced.add(number);', ''],
  ['who claims a place that two have', 'check/places.ts', '|| this.#clashes.some(', '|| this.#clashes.slice(0, 0).some('],
  ['copies of records that claim one place', 'check/places.ts', 'for (const { place, record } of this.#clashes) found', 'for (const { place, record } of []) found'],
  ['order by the time of answers', 'check/order.ts', 'group.sort((a, b) => end.at(a) - end.at(b))', '0'],
  ['failed attempts make no copies', 'check/ledger.ts', "if (attempt.outcome !== 'failed') this.#tries", "if (attempt.outcome !== 'ok') this.#tries"],
  ['a record is ok if any attempt is', 'check/ledger.ts', "told & flags.ok ? 'ok' : told & flags.unknown ? 'unknown' : 'failed'", "told & flags.unknown ? 'unknown' : told & flags.ok ? 'ok' : 'failed'"],
];

describe('the self-test of the checker', () => {
  it('finds every kind of damage in thousands of histories, and nothing in clean ones', () => {
    const seed = Number(process.env['KBF_SEED'] ?? 1);
    const result = selfTest({ seed, runs: 250 });
    assert.ok(result.passed, renderSelfTest(result));
    assert.equal(result.rows.length, Object.keys(plants).length + 1);
    assert.ok(result.rows.reduce((sum, { planted }) => sum + planted, 0) > 3000);
  });

  it('does the same for the same seed, and something else for another', () => {
    const table = (seed: number): string => renderSelfTest(selfTest({ seed, runs: 10 }));
    assert.equal(table(5), table(5));
    assert.notEqual(table(5).replace(/seeds.*/, ''), table(4000).replace(/seeds.*/, ''));
  });

  it('says what was missed, by the seed that makes it again', () => {
    const blind = (history: Parameters<typeof check>[0]): ReturnType<typeof check> => real({ ...history, log: [...history.log].slice(1) });
    const result = selfTest({ runs: 3, check: blind });
    assert.equal(result.passed, false);
    assert.match(renderSelfTest(result), /FAILED[^]*seed 1, nothing: /);
  });

  for (const [rule, file, from, to] of mutations) {
    it(`fails for a checker without its rule of ${rule}`, async () => {
      const check = await mutated(file, from, to);
      let seed = 1;
      while (seed <= 60 && selfTest({ seed, runs: 4, check }).failures.length === 0) seed += 4;
      assert.ok(seed <= 60, 'nothing was missed or invented in 60 histories of each kind');
    });
  }
});

const { check: real } = await import('../../automation/drill/checker.ts');

/** The checker from a copy of its sources with one place changed. */
async function mutated(file: string, from: string, to: string): Promise<typeof check> {
  const copy = mkdtempSync(join(tmpdir(), 'kbf-mutation-'));
  try {
    for (const part of ['checker.ts', 'columns.ts', 'check']) cpSync(join(drill, part), join(copy, part), { recursive: true });
    const source = readFileSync(join(copy, file), 'utf8');
    assert.equal(source.split(from).length, 2, `${file} does not hold '${from}' once`);
    writeFileSync(join(copy, file), source.replace(from, to));
    return (await import(pathToFileURL(join(copy, 'checker.ts')).href) as { check: typeof check }).check;
  } finally {
    rmSync(copy, { recursive: true });
  }
}
