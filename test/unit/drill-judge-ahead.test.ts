import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { JudgeAhead } from '../../automation/drill/judge-ahead.ts';
import type { RunRecord, Stored } from '../../automation/drill/report.ts';
import { makeReportDirectory, openAppender } from '../../automation/drill/store.ts';
import { judgeDirectory, writeRun } from '../../automation/drill/stored.ts';
import { UserError } from '../../errors.ts';
import { passingRun } from '../fixtures/passing-run.ts';

/** Long enough for the thread to have come to the end of what is stored. */
const aheadMs = 1000;
const counts = { attempts: 3000, deliveries: 3000, commits: 0, log: 3000 };

describe('judging while a run is still stored', () => {
  let root: string;
  let stored: Stored;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kbf-ahead-'));
    stored = passingRun();
  });
  afterEach(() => { rmSync(root, { recursive: true }); });

  const directory = (): string => join(root, 'report');
  const bytesOf = (): Record<string, string> => Object.fromEntries(readdirSync(directory()).map((name) => [name, readFileSync(join(directory(), name), 'utf8')]));

  async function store(kind: 'attempts' | 'log' | 'commits' | 'deliveries', records: readonly unknown[]): Promise<void> {
    const file = openAppender(directory(), kind, (error) => { throw error; });
    for (const record of records) await file.append(record as never);
    await file.close();
  }

  /** A drill that stores all but its log, begins to be judged, and stores the rest. */
  async function drilled(finalRun: (run: RunRecord) => RunRecord = (run) => run): Promise<JudgeAhead> {
    await makeReportDirectory(directory());
    const { run, attempts, deliveries, log } = stored;
    for (const [kind, records] of [['attempts', attempts], ['commits', []], ['deliveries', deliveries]] as const) await store(kind, records);
    const ahead = new JudgeAhead(directory(), run);
    await store('log', log);
    await writeRun(directory(), finalRun({ ...run, stored: counts }));
    return ahead;
  }

  it('gives the same bytes as judging it afterwards', async () => {
    await using ahead = await drilled();
    const report = await ahead.report({ ...stored.run, stored: counts });
    assert.equal(report?.verdict, 'pass');
    await judgeDirectory(directory());
    const afterwards = bytesOf();
    await using again = new JudgeAhead(directory(), stored.run);
    await judgeDirectory(directory(), again);
    assert.deepEqual(bytesOf(), afterwards);
  });

  it('takes in what is stored when it has come to the end of the rest, in the middle of a line, too', async () => {
    await makeReportDirectory(directory());
    await writeRun(directory(), { ...stored.run, stored: counts });
    for (const kind of ['attempts', 'commits', 'deliveries', 'log'] as const) await store(kind, kind === 'commits' ? [] : stored[kind]);
    const file = join(directory(), 'attempts.ndjson');
    const text = readFileSync(file, 'utf8');
    const cut = text.lastIndexOf('"seq":2000') + 3;
    writeFileSync(file, text.slice(0, cut));
    await using ahead = new JudgeAhead(directory(), stored.run);
    await delay(aheadMs);
    appendFileSync(file, text.slice(cut));
    assert.equal((await judgeDirectory(directory(), ahead)).produce.sent, 3000);
    assert.ok(await ahead.report({ ...stored.run, stored: counts }), 'it was not judged ahead');
  });

  it('judges a run anew of which more is known in the end', async () => {
    await using ahead = await drilled((run) => ({ ...run, ending: { kind: 'aborted', reason: 'no region served a request for 10 s' }, logRead: false }));
    const { verdict, reason, log } = await judgeDirectory(directory(), ahead);
    assert.deepEqual([verdict, reason, log], ['aborted', 'no region served a request for 10 s', undefined]);
  });

  it('says of a run that cannot be judged what judging it afterwards says', async () => {
    await using ahead = await drilled((run) => ({ ...run, stored: { ...counts, attempts: 3001 } }));
    await assert.rejects(judgeDirectory(directory(), ahead), (error) => error instanceof UserError && error.exitCode === 1 && /attempts\.ndjson holds 3000 lines of the 3001/.test(error.message) && /cannot be judged/.test(error.remedy ?? ''));
    appendFileSync(join(directory(), 'attempts.ndjson'), 'x\n');
    await using another = new JudgeAhead(directory(), stored.run);
    await assert.rejects(judgeDirectory(directory(), another), (error) => error instanceof UserError && /attempts\.ndjson:3002 is not JSON/.test(error.message));
  });

  it('leaves no thread behind, whether or not anybody wanted its report', async () => {
    const ports = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = ports();
    {
      await using ahead = await drilled();
      assert.equal(ports(), before + 1);
      assert.ok(ahead);
    }
    {
      await using ahead = new JudgeAhead(directory(), stored.run);
      assert.ok(await ahead.report(stored.run));
    }
    assert.equal(ports(), before);
  });
});
