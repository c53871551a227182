import assert from 'node:assert/strict';
import { objectName } from '../../automation/drill/predict/configuration.ts';
import type { HopSettings } from '../../automation/drill/predict/configuration.ts';
import { judge } from '../../automation/drill/report.ts';
import type { Report, Stored } from '../../automation/drill/report.ts';
import { passingRun } from '../fixtures/passing-run.ts';

const safe: HopSettings = {
  host: 'kafka-bridge-http.kafka-bridge.svc.cluster.local', connectTimeoutMs: 250, mergeWindowMs: 0, retryOn: 'connect-failure,refused-stream', retryAttempts: 2, retryBackoffMs: 5,
  ejectionMs: 2000, consecutiveLocalOriginFailures: 1, consecutiveGatewayErrors: 1, healthCheckIntervalMs: 250, healthCheckTimeoutMs: 750, healthCheckUnhealthyThreshold: 2,
};
/** As TSB's own settings are read back. */
const tsbDefault: HopSettings = {
  host: safe.host ?? '', connectTimeoutMs: 10_000, ejectionMs: 30_000, consecutiveGatewayErrors: 10, retryAttempts: 2,
  retryOn: 'reset,connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,503',
};

/** The report of a run on such settings, of a fault in east, whose requests 1100 to 1110 were not answered. */
function reportOf(fault: string, { upstream = safe, tier1 = safe }: { upstream?: HopSettings; tier1?: HopSettings }, change: (stored: Stored) => void = loseSome): Report {
  const stored = passingRun();
  const { run } = stored;
  run.plan.fault = fault;
  for (const mark of run.faults) mark.fault = fault;
  run.configuration = { [objectName.upstream('east')]: { ...upstream }, [objectName.tier1]: { ...tier1 } };
  change(stored);
  return judge(stored);
}

function loseSome({ attempts }: Stored): void {
  for (const attempt of attempts.slice(1100, 1110)) Object.assign(attempt, { outcome: 'unknown', class: 'timeout' });
}

function writeTwice({ log }: Stored): void {
  const last = log.findLast(({ partition }) => partition === 5) ?? assert.fail('nothing in partition 5');
  log.push({ ...last, offset: last.offset + 1 });
}

const names = (advice: readonly string[] = []): string[] => advice.flatMap((text) => /set ([\w.]+) to/.exec(text)?.slice(1) ?? []);

describe('advice on settings', () => {
  it('names the weights where a region\'s gateway is gone, and only there', () => {
    const tier1 = { ...safe, weighted: true };
    assert.deepEqual(names(reportOf('gateway-kill', { tier1 }).advice), ['tier1.mode']);
    assert.deepEqual(names(reportOf('bridge-kill', { tier1 }).advice), []);
  });

  it('names the patience of bridges where that is shorter than a dead broker\'s session', () => {
    const patient = (deliveryTimeoutMs: number) => (stored: Stored): void => {
      Object.assign(stored.run.configuration ?? {}, { [objectName.bridge('east')]: { deliveryTimeoutMs }, [objectName.kafka]: {} });
      loseSome(stored);
    };
    assert.deepEqual(names(reportOf('broker-leader-kill', {}, patient(8000)).advice), ['bridge.producer.deliveryTimeoutMs']);
    assert.deepEqual(names(reportOf('broker-leader-kill', {}, patient(12_000)).advice), []);
    assert.deepEqual(names(reportOf('bridge-kill', {}, patient(8000)).advice), []);
  });

  it('asks for a check that needs Kafka where records failed inside an answer of 200, and there is none', () => {
    const given = (healthCheckPath: string): boolean => (reportOf('bridge-cut-from-kafka', { upstream: { ...safe, healthCheckPath } }, ({ attempts }) => {
      for (const attempt of attempts.slice(1100, 1110)) Object.assign(attempt, { outcome: 'unknown', class: 'record-500' });
    }).advice ?? []).some((text) => text.includes('GET /topics'));
    assert.deepEqual([given('/ready'), given('/topics')], [true, false]);
  });

  it('names TSB\'s own settings where hosts stay in, or where records were written twice', () => {
    const both = { upstream: tsbDefault, tier1: tsbDefault };
    assert.deepEqual(names(reportOf('bridge-kill', both).advice), ['tier1.retries']);
    const { advice = [], verdict } = reportOf('bridge-kill', both, writeTwice);
    assert.equal(verdict, 'fail');
    assert.ok(advice.some((text) => text.includes('send again what may have been carried out (retryOn reset,')), advice.join('\n'));
    assert.deepEqual(names(reportOf('bridge-kill', {}, writeTwice).advice), []);
  });

  it('names the health checks where something is silent and nobody asks it', () => {
    const { healthCheckIntervalMs, ...upstream } = safe;
    assert.ok(healthCheckIntervalMs !== undefined);
    assert.deepEqual(names(reportOf('bridge-hang', { upstream }).advice), ['tsb.envoyFilters']);
    assert.deepEqual(names(reportOf('bridge-hang', {}).advice), []);
  });

  it('names the bridge\'s Service where consumers missed records by the operator\'s', () => {
    const upstream = { ...safe, host: 'kafka-bridge-bridge-service.kafka-bridge.svc.cluster.local' };
    const undelivered = ({ deliveries }: Stored): void => { deliveries.pop(); };
    assert.deepEqual(names(reportOf('bridge-scale-0', { upstream }, undelivered).advice), ['bridge.service']);
    assert.deepEqual(names(reportOf('bridge-scale-0', {}, undelivered).advice), []);
    const idle = ({ run }: Stored): void => { run.ending = { kind: 'inconclusive', reason: 'no steady state within 60 s, so nothing was injected: a consumer was given nothing' }; };
    assert.deepEqual(names(reportOf('bridge-scale-0', { upstream }, idle).advice), ['bridge.service']);
  });

  it('is none where nothing was missed', () => {
    assert.deepEqual(reportOf('bridge-scale-0', { upstream: tsbDefault, tier1: { ...tsbDefault, weighted: true } }, () => undefined).advice, []);
  });
});

describe('advice on bridges that are ended in order', () => {
  const ended = (fault: string, name = 'upstream-reset', change?: (stored: Stored) => void): string[] => (reportOf(fault, {}, (stored) => {
    for (const attempt of stored.attempts.slice(1100, 1103)) Object.assign(attempt, { outcome: 'unknown', class: name });
    change?.(stored);
  }).advice ?? []).filter((text) => text.includes('ended in order'));

  it('says why requests were not answered, what to do, and what may be allowed', () => {
    for (const fault of ['bridge-scale-0', 'bridge-terminate', 'bridge-drain']) {
      for (const name of ['upstream-reset', 'reset', 'timeout']) {
        const [text = '', ...more] = ended(fault, name);
        assert.match(text, /official.* 1\.1\.0, .*KafkaBridge has no preStop.*--objective 'produce\.unknown<=4'/);
        assert.deepEqual(more, []);
      }
    }
  });

  it('says it of those of a later step of the plan, too, and of no other fault, nor where all was answered', () => {
    assert.equal(ended('bridge-kill', 'upstream-reset', ({ run: { faults: [mark], faults } }) => { if (mark !== undefined) faults.push({ ...mark, fault: 'bridge-terminate' }); }).length, 1);
    for (const fault of ['bridge-kill', 'bridge-hang', 'fail-back', 'gateway-kill']) assert.deepEqual(ended(fault), [], fault);
    assert.deepEqual(reportOf('bridge-scale-0', {}, () => undefined).advice, []);
  });

  it('promises no wait that a KafkaBridge cannot have where a bridge was killed', () => {
    const { advice = [] } = reportOf('bridge-kill', {}, ({ attempts }) => { for (const attempt of attempts.slice(1100, 1110)) Object.assign(attempt, { outcome: 'unknown', class: 'upstream-reset' }); });
    assert.ok(advice.some((text) => text.includes('cut while a bridge had them')), advice.join('\n'));
    assert.ok(!advice.some((text) => text.includes('preStop')), advice.join('\n'));
  });
});

describe('advice on the machine that sends', () => {
  it('names ports, and no more connections, where there was none left to send from', () => {
    const { advice = [] } = reportOf('bridge-scale-0', {}, ({ attempts }) => {
      for (const attempt of attempts.slice(1100, 1110)) Object.assign(attempt, { outcome: 'failed', class: 'unsent-eaddrnotavail', sentMs: undefined });
    });
    assert.equal(advice.filter((text) => /no port.*--requests-per-connection/.test(text)).length, 1, advice.join('\n'));
    assert.ok(!advice.some((text) => text.includes('more connections')), advice.join('\n'));
  });
});

describe('advice on requests that tier1 did not take', () => {
  const told = (name: string): string[] => (reportOf('tier1-restart', {}, ({ attempts }) => {
    for (const attempt of attempts.slice(1100, 1110)) Object.assign(attempt, { outcome: 'failed', class: name, sentMs: undefined });
  }).advice ?? []).filter((text) => /tier1|connection/i.test(text) && !text.startsWith('The largest part'));

  for (const name of ['unsent-refused', 'unsent-reset', 'unsent-connect-timeout', 'unsent-ehostunreach']) {
    it(`is about tier1 and its address after ${name}, and not about the load's own connections`, () => {
      assert.deepEqual(told(name), ['Tier1 refused, cut or did not answer connections, before anything was sent: see that its pods are ready, and that its address leads to them.']);
    });
  }

  it('is about the load\'s own connections where it had none until requests were given up, and about tier1 too, which may not have answered new ones', () => {
    const [text = '', ...more] = told('unsent-timeout');
    assert.match(text, /^Requests had no connection of the load until they were given up: .*what held them.*tier1 answered new ones.*more connections or a lower rate/);
    assert.deepEqual(more, []);
  });

  it('is none where the drill itself ended', () => {
    assert.deepEqual(told('unsent-drill-ended'), []);
  });
});

describe('advice on requests that found no bridge', () => {
  const internal: HopSettings = { ...safe, retryOn: 'connect-failure,refused-stream,retriable-headers' };
  const told = (name: string, upstream?: HopSettings, tier1: HopSettings = internal): string => (reportOf('bridge-kill', { ...(upstream && { upstream }), tier1 }, (stored) => {
    if (upstream === undefined) delete stored.run.configuration;
    for (const attempt of stored.attempts.slice(1100, 1110)) Object.assign(attempt, { outcome: 'failed', class: name, sentMs: undefined });
  }).advice ?? []).filter((text) => /^(Requests found no bridge|Behind a sidecar|Clients were answered)/.test(text)).join('\n');
  const none = ['no-healthy-upstream', 'upstream-refused', 'upstream-connect-failure', 'upstream-refused-stream'];

  it('names what would have to be set where no settings are known', () => {
    for (const name of none) assert.match(told(name), /^Requests found no bridge: let gateways repeat what was never sent \(retryOn connect-failure,refused-stream\) to another host, and keep ejections short \(baseEjectionTime 2s\)\.$/);
    assert.match(told('http-503'), /: let it say so \(tsb\.envoyFilters internal-group\), and eject at the first one \(consecutiveGatewayFailure 1\), and check health actively\.$/);
  });

  it('names only what the report does not show as set', () => {
    assert.match(told('no-healthy-upstream', { ...internal, ejectionMs: 30_000 }), /^Requests found no bridge: keep ejections short \(baseEjectionTime 2s\)\.$/);
    assert.match(told('no-healthy-upstream', internal, { ...internal, retryAttempts: 0 }), /^Requests found no bridge: let gateways repeat [^.]* to another host\.$/);
    const { healthCheckIntervalMs, ...unchecked } = internal;
    assert.ok(healthCheckIntervalMs !== undefined);
    assert.match(told('http-503', unchecked), /not sent: check health actively\.$/);
    assert.match(told('http-503', { ...internal, consecutiveGatewayErrors: 10 }), /not sent: eject at the first one \(consecutiveGatewayFailure 1\)\.$/);
    assert.match(told('http-503', safe), /not sent: let it say so \(tsb\.envoyFilters internal-group\)\.$/);
  });

  it('says what to look at where all of it is set, whatever tier1, which checks nobody, ejects at', () => {
    const { healthCheckIntervalMs, ...tier1 } = { ...internal, consecutiveGatewayErrors: 50 };
    assert.ok(healthCheckIntervalMs !== undefined);
    for (const name of none) assert.match(told(name, internal, tier1), /^Requests found no bridge, although gateways [^:]*: see which hosts were left [^.]*\.$/);
    assert.match(told('http-503', internal, tier1), /^Clients were answered 503 .* although [^:]*: see which hosts were left [^.]*\.$/);
    for (const name of [...none, 'http-503']) assert.doesNotMatch(told(name, internal, tier1), /retryOn|baseEjectionTime|consecutiveGatewayFailure|internal-group/);
  });
});

describe('advice on regions', () => {
  /** West serves nothing while the fault in east is in effect. */
  const eastAlone = ({ run: { marks: { injectMs = 0, healMs = 0 } }, attempts }: Stored): void => {
    for (const attempt of attempts) if (attempt.intendedMs > injectMs && attempt.intendedMs < healMs) attempt.region = 'east';
  };
  const takingOver = ({ advice = [] }: Report): string[] => advice.filter((text) => text.includes('did not take over'));

  it('says which one did not take over', () => {
    assert.match(takingOver(reportOf('bridge-scale-0', {}, eastAlone)).join('\n'), /^west did not take over: see that tier1 names/);
  });

  it('says it of none that a later step of the same drill strikes itself', () => {
    const both = (stored: Stored): void => {
      eastAlone(stored);
      stored.run.plan.steps.push({ kind: 'do', fault: 'bridge-kill', region: 'west' });
    };
    const { objectives, ...report } = reportOf('bridge-scale-0', {}, both);
    assert.ok(objectives.some(({ name, met }) => name === 'regions.west.during' && !met));
    assert.deepEqual(takingOver({ ...report, objectives }), []);
  });
});

describe('the verdict on settings by which nothing takes over', () => {
  it('is fail, however little was lost', () => {
    const { verdict, objectives } = reportOf('gateway-kill', { tier1: { ...safe, weighted: true } }, () => undefined);
    assert.equal(verdict, 'fail');
    assert.deepEqual(objectives.filter(({ met }) => !met).map(({ name }) => name), ['prediction.failover']);
  });
});
