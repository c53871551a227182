import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { JudgeAhead } from '../../automation/drill/judge-ahead.ts';
import type { LogRecord } from '../../automation/drill/records.ts';
import { judge } from '../../automation/drill/report.ts';
import type { RunRecord, Stored } from '../../automation/drill/report.ts';
import { makeReportDirectory, openAppender } from '../../automation/drill/store.ts';
import type { Appender } from '../../automation/drill/store.ts';
import { judgeDirectory, writeRun } from '../../automation/drill/stored.ts';
import { UserError } from '../../errors.ts';
import { passingRun } from '../fixtures/passing-run.ts';

/** Long enough for the thread to have come to the end of what is stored. */
const aheadMs = 1000;
const before = { attempts: 3000, deliveries: 3000, commits: 0 };
const counts = { ...before, log: 3000 };

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

  const open = (kind: keyof typeof counts): Appender<unknown> => openAppender(directory(), kind, (error) => { throw error; }) as Appender<unknown>;

  async function store(kind: keyof typeof counts, records: readonly unknown[], file = open(kind)): Promise<void> {
    for (const record of records) await file.append(record);
    await file.close();
  }

  /** A drill that stores all but its log, begins to be judged, and stores the rest. */
  async function drilled(finalRun: (run: RunRecord) => RunRecord = (run) => run): Promise<JudgeAhead> {
    await makeReportDirectory(directory());
    const { run, attempts, deliveries, log } = stored;
    for (const [kind, records] of [['attempts', attempts], ['commits', []], ['deliveries', deliveries]] as const) await store(kind, records);
    const file = open('log');
    await file.written();
    const ahead = new JudgeAhead(directory(), run, before);
    await store('log', log, file);
    await writeRun(directory(), finalRun({ ...run, stored: counts }));
    return ahead;
  }

  it('gives the same bytes as judging it afterwards', async () => {
    await using ahead = await drilled();
    const report = await ahead.report({ ...stored.run, stored: counts });
    assert.equal(report?.verdict, 'pass');
    await judgeDirectory(directory());
    const afterwards = bytesOf();
    await using again = new JudgeAhead(directory(), stored.run, before);
    await judgeDirectory(directory(), again);
    assert.deepEqual(bytesOf(), afterwards);
  });

  async function storeAll(): Promise<void> {
    await makeReportDirectory(directory());
    await writeRun(directory(), { ...stored.run, stored: counts });
    for (const kind of ['attempts', 'commits', 'deliveries', 'log'] as const) await store(kind, kind === 'commits' ? [] : stored[kind]);
  }

  it('takes in what is stored when it has come to the end of the rest, in the middle of a line, too', async () => {
    await storeAll();
    const file = join(directory(), 'log.ndjson');
    const text = readFileSync(file, 'utf8');
    const cut = text.lastIndexOf('"seq":2000') + 3;
    writeFileSync(file, text.slice(0, cut));
    await using ahead = new JudgeAhead(directory(), stored.run, before);
    await delay(aheadMs);
    appendFileSync(file, text.slice(cut));
    assert.equal((await judgeDirectory(directory(), ahead)).log?.ackedLost, 0);
    assert.ok(await ahead.report({ ...stored.run, stored: counts }), 'it was not judged ahead');
  });

  it('judges no delivery before it is known what the log holds there', async () => {
    const [late] = stored.log.splice(300, 1) as [LogRecord];
    const [other] = stored.log as [LogRecord];
    // At its place the log holds another record first, and its own as the last of all.
    stored.log.splice(300, 0, { ...other, partition: late.partition, offset: late.offset });
    stored.log.push(late);
    await makeReportDirectory(directory());
    for (const kind of ['attempts', 'commits', 'deliveries'] as const) await store(kind, kind === 'commits' ? [] : stored[kind]);
    const file = open('log');
    for (const record of stored.log.slice(0, 2000)) await file.append(record);
    await file.written();
    await using ahead = new JudgeAhead(directory(), stored.run, before);
    await delay(aheadMs);
    await store('log', stored.log.slice(2000), file);
    const report = await ahead.report({ ...stored.run, stored: { ...counts, log: 3001 } });
    assert.deepEqual(report, JSON.parse(JSON.stringify(judge(stored))));
    assert.equal(report?.log?.offsetMismatch, 1);
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
    await using another = new JudgeAhead(directory(), stored.run, before);
    await assert.rejects(judgeDirectory(directory(), another), (error) => error instanceof UserError && /attempts\.ndjson:3002 is not JSON/.test(error.message));
  });

  it('leaves no thread behind, whether or not anybody wanted its report', async () => {
    const ports = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const portsBefore = ports();
    {
      await using ahead = await drilled();
      assert.equal(ports(), portsBefore + 1);
      assert.ok(ahead);
    }
    {
      await using ahead = new JudgeAhead(directory(), stored.run, before);
      assert.ok(await ahead.report({ ...stored.run, stored: counts }));
    }
    assert.equal(ports(), portsBefore);
  });
});
