import assert from 'node:assert/strict';

import { bridgeTraffic, type Resilience, tier1Traffic } from '../../components/resilience.ts';
import { configuration } from './topology-fixtures.ts';

const { bridge: { timeouts } } = configuration();
const resilience: Resilience = { retries: 'safe', api: 'gateway', envoyFilters: 'internal-group', timeouts };
const hosts = { shared: 'bridge-http', local: 'bridge-local' };

describe('how failover is bounded', () => {
  it('lets one refused connection put a bridge out for records, and no single failure for consumers, whose poll may outlast its time', () => {
    const failures = bridgeTraffic(hosts, resilience)?.map(({ settings }) => settings.resilience?.outlierDetection).map((ejection) => [ejection?.consecutiveLocalOriginFailure, ejection?.consecutiveGatewayFailure]);
    assert.deepEqual(failures, [[1, 1], [5, 5]]);
  });

  it('bounds a try of records, and no poll by it where both come by one host', () => {
    const tries = (local: string | undefined): unknown[] | undefined => bridgeTraffic({ shared: hosts.shared, local }, resilience)?.map(({ settings }) => settings.resilience?.connectionPool?.http?.retries?.perTryTimeout);
    assert.deepEqual(tries(hosts.local), ['12s', undefined]);
    assert.deepEqual(tries(undefined), [undefined]);
  });

  it('tries again for longer where no EnvoyFilter sends the repetition elsewhere', () => {
    const retries = (envoyFilters: Resilience['envoyFilters']): unknown[] => [...bridgeTraffic(hosts, { ...resilience, envoyFilters }) ?? [], ...tier1Traffic({ ...resilience, envoyFilters }) ?? []]
      .map(({ settings }) => settings.resilience?.connectionPool?.http?.retries).map((each) => [each?.attempts, each?.retryOn, each?.retryBackOff?.baseInterval]);
    assert.deepEqual(retries('internal-group'), [[2, 'connect-failure,refused-stream,retriable-headers', '0.005s'], [0, undefined, undefined], [2, 'connect-failure,refused-stream', '0.005s']]);
    assert.deepEqual(retries('none'), [[6, 'connect-failure,refused-stream', '0.025s'], [0, undefined, undefined], [6, 'connect-failure,refused-stream', '0.025s']]);
  });

  it('leaves all to TSB where it is asked to', () => {
    assert.equal(bridgeTraffic(hosts, { ...resilience, retries: 'tsb-default' }), undefined);
    assert.equal(tier1Traffic({ ...resilience, retries: 'tsb-default' }), undefined);
  });
});
