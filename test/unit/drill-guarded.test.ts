import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Admin } from '@platformatic/kafka';
import { contentOf } from '../../automation/drill/content.ts';
import { startClock } from '../../automation/drill/exchange.ts';
import { driversProducer } from '../../automation/drill/handed-over.ts';
import { Live } from '../../automation/drill/live.ts';
import { planOf } from '../../automation/drill/options.ts';
import type { DrillOptions } from '../../automation/drill/options.ts';
import { carryOut } from '../../automation/drill/phases.ts';
import type { Drill } from '../../automation/drill/phases.ts';
import type { Ending } from '../../automation/drill/plan.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { warmUpProducer } from '../../automation/drill/report.ts';
import { startFakeApi } from '../fixtures/fake-bridge-api.ts';
import type { FakeApi } from '../fixtures/fake-bridge-api.ts';
import { fakeRegions, globalHost, startFakeTier1 } from '../fixtures/fake-tier1.ts';
import type { FakeTier1 } from '../fixtures/fake-tier1.ts';

/** The driver's clock goes so far ahead at once, as nobody is to wait until so much load was sent. */
const leapMs = 11_000;

/** All phases of a drill whose region is taken away before the load, and what ends it from then on. */
describe('a drill that hurts', () => {
  const { createTopics, deleteTopics, deleteGroups, metadata, listOffsets } = Admin.prototype;
  let api: FakeApi;
  let tier1: FakeTier1;
  let directory: string;
  /** What the drill said of its phases. */
  let told: string[];
  beforeEach(async () => {
    told = [];
    [api, tier1, directory] = await Promise.all([startFakeApi(), startFakeTier1(), mkdtemp(path.join(tmpdir(), 'kbf-guarded-'))]);
    Object.assign(Admin.prototype, {
      createTopics: () => Promise.resolve(), deleteTopics: () => Promise.resolve(), deleteGroups: () => Promise.resolve(), listOffsets: () => Promise.resolve([]),
      metadata: () => Promise.resolve({ topics: new Map(), brokers: new Map() }),
    });
  });
  afterEach(async () => {
    Object.assign(Admin.prototype, { createTopics, deleteTopics, deleteGroups, metadata, listOffsets });
    await Promise.all([api.stop(), tier1[Symbol.asyncDispose](), rm(directory, { recursive: true, force: true })]);
  });

  /** How it ends. The clock leaps at the first attempt for which `leapsAt` holds, which is then one that ended after it. */
  async function ending(leapsAt: (attempt: Attempt) => boolean): Promise<Ending> {
    const options: DrillOptions = {
      outputs: {
        hostname: globalHost, tier1Address: tier1.origin.replace('http://', ''), kafka: { bootstrapServers: '127.0.0.1:1' },
        regions: fakeRegions.map((region) => ({ ...region, context: 'east', namespace: 'kafka-bridge', bridge: 'bridge' })),
      },
      environment: 'test', kubeconfig: api.kubeconfig, stateDir: directory, reportDir: directory, fault: 'fail-back', rate: 50, durationSeconds: 60, parts: {},
    };
    const { plan, outputs } = planOf(options);
    const real = startClock();
    let aheadMs = 0;
    const clock = (): number => real() + aheadMs;
    const stored = { append: () => undefined, written: () => Promise.resolve(0), close: () => Promise.resolve(0) };
    const attempts: Drill['store']['attempts'] = {
      ...stored,
      append(attempt) {
        if (aheadMs === 0 && leapsAt(attempt)) aheadMs = leapMs;
        // The generator's thread has a clock of its own, which does not leap.
        attempt.endMs += aheadMs;
        return undefined;
      },
    };
    const condition = new AbortController();
    return await carryOut({
      options, plan, outputs, clock, live: new Live(clock, []), content: contentOf(plan), store: { attempts, deliveries: stored, commits: stored, log: stored },
      marks: {}, faults: [], steps: [], seen: { logRead: false }, touched: false, mark: () => undefined, judgeAhead: () => Promise.resolve(), stop: (why) => { condition.abort(why); }, phase: (name, detail = '') => { told.push(`${name}: ${detail}`); },
      signal: condition.signal,
    });
  }

  /** Of every three produce requests so many fail once the region is away, of the warm-up's or of the load's. */
  const failing = (share: number, isFrom: () => boolean): void => {
    let produced = 0;
    tier1.intercept = ({ url = '' }, response) => {
      if (api.bridge?.replicas !== 0 || !url.startsWith('/topics') || !isFrom()) return false;
      produced += 1;
      if (produced % 3 >= share) return false;
      response.writeHead(503).end('no healthy upstream');
      return true;
    };
  };

  const isHealed = async (): Promise<void> => {
    const faults = path.join(directory, 'faults');
    assert.deepEqual([api.bridge?.replicas, existsSync(faults) ? await readdir(faults) : []], [2, []]);
  };

  it('before its load counts is ended, and what was arranged for it is healed', async () => {
    failing(3, () => true);
    assert.deepEqual(await ending(({ producer, outcome }) => producer === warmUpProducer && outcome !== 'ok'), { kind: 'aborted', reason: 'no region served a request for 10 s' });
    await isHealed();
  });

  it('tells that its log could not be read, and that its topic stays', async () => {
    const refused = (what: string) => () => Promise.reject(new Error(what));
    Object.assign(Admin.prototype, { metadata: refused('no leader'), deleteTopics: refused('not authorized'), deleteGroups: refused('members are left') });
    failing(3, () => true);
    assert.equal((await ending(({ producer, outcome }) => producer === warmUpProducer && outcome !== 'ok')).kind, 'aborted');
    const [unread, left, ...more] = told.slice(told.indexOf('verify: reading the log') + 1);
    assert.match(unread ?? '', /^verify: the log could not be read, so that nobody looks for damage to data: Kafka at 127\.0\.0\.1:1: .*no leader$/);
    assert.match(left ?? '', /^report: left behind in Kafka, to be deleted with its own tools: Kafka at 127\.0\.0\.1:1: topic kbf-drill-\S+ cannot be deleted: not authorized$/);
    assert.deepEqual(more, []);
  });

  it('under its load is ended by what that comes to', async () => {
    let isLoad = false;
    let loaded = 0;
    failing(2, () => isLoad);
    const ended = await ending(({ producer, outcome }) => {
      isLoad ||= producer === driversProducer;
      if (isLoad) loaded += 1;
      return isLoad && loaded > 20 && outcome === 'ok';
    });
    assert.match(ended.kind === 'aborted' ? ended.reason : ended.kind, /^the error budget is spent: \d+ of the \d+ records whose requests ended in the last 10 s were not ok$/);
    await isHealed();
  });
});
