import assert from 'node:assert/strict';
import { Command } from 'commander';
import { addLoadOptions, loadOf } from '../../automation/commands/drill-load.ts';
import type { LoadFlags } from '../../automation/commands/drill-load.ts';
import { defaultConnections, defaultConsumers, defaultLoad, wrongConnections, wrongConsumers, wrongLoad } from '../../automation/drill/load-plan.ts';
import type { LoadPlan } from '../../automation/drill/plan.ts';

describe('how a load is to be sent', () => {
  const parse = (...argv: string[]): ReturnType<typeof loadOf> => loadOf(addLoadOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined })).parse(argv, { from: 'user' }).opts<LoadFlags>());

  it('is the default where no flag says otherwise, and that is right', () => {
    assert.deepEqual(parse(), { rate: 100, load: {}, consumers: {} });
    assert.deepEqual([wrongLoad(defaultLoad), wrongConsumers(defaultConsumers, 6)], [[], []]);
  });

  it('is what the flags say', () => {
    assert.deepEqual(
      parse('--rate', '30', '--pattern', 'ramp', '--ramp-from', '5', '--connections', '9', '--requests-per-connection', '7', '--payload-bytes', '1000', '--key-distribution', 'zipf',
        '--format', 'binary', '--retry', 'safe', '--workers', '3', '--worker-image', 'registry.example:5000/team/node:24', '--consumers', '4', '--consumer-mode', 'assign'),
      {
        load: { pattern: 'ramp', rampFrom: 5, requestsPerConnection: 7, payloadBytes: 1000, keyDistribution: 'zipf', format: 'binary', retry: 'safe', workers: 3, workerImage: 'registry.example:5000/team/node:24' },
        consumers: { count: 4, mode: 'assign' }, connections: 9, rate: 30,
      },
    );
  });

  it('is refused with the flag and what is allowed', () => {
    assert.throws(() => parse('--retry', 'often'), /--retry.*Allowed choices are none, safe, always/);
    assert.throws(() => parse('--payload-bytes', '-1'), /--payload-bytes.*whole number, 0 or more/);
  });

  for (const [what, load, wrong] of [
    ['an unknown pattern', { pattern: 'wave' as 'ramp' }, 'pattern is wave, must be constant, ramp, poisson'],
    ['a begin without a ramp', { rampFrom: 5 }, 'rampFrom is 5, but the pattern is constant, which has no begin of its own'],
    ['a ramp from nothing', { pattern: 'ramp', rampFrom: 0 }, 'rampFrom is 0, must be a whole number from 1 to 20000 records a second'],
    ['more than a broker takes', { payloadBytes: 2_000_000 }, 'payloadBytes is 2000000, must be a whole number from 0 to 1000000 bytes'],
    ['connections for no request', { requestsPerConnection: 0 }, 'requestsPerConnection is 0, must be a whole number from 1 to 1000000 requests'],
    ['an image that is none', { workers: 1, workerImage: 'node 24' }, 'workerImage is node 24, must be the name of an image, such as docker.io/library/node:24-alpine'],
    ['an image for nobody', { workerImage: 'node@sha256:0a' }, 'workerImage is node@sha256:0a, but there are no workers'],
    ['half a worker', { workers: 0.5 }, 'workers is 0.5, must be a whole number from 0 to 100 pods'],
  ] satisfies [string, Partial<LoadPlan>, string][]) {
    it(`cannot have ${what}`, () => {
      assert.deepEqual(wrongLoad({ ...defaultLoad, ...load }), [wrong]);
    });
  }

  it('has a connection for each who sends it, by default too', () => {
    const load = { ...defaultLoad, workers: 20 };
    assert.deepEqual(wrongConnections(20, load), ['connections is 20, must be a whole number from 21 to 10000 connections, as the driver needs one and each of 20 workers']);
    assert.deepEqual([wrongConnections(21, load), wrongConnections(defaultConnections(load), load), defaultConnections(defaultLoad)], [[], [], 16]);
    assert.deepEqual(wrongConnections(0, defaultLoad), ['connections is 0, must be a whole number from 1 to 10000 connections']);
  });

  it('cannot have more consumers than partitions: some would be given nothing', () => {
    assert.deepEqual(wrongConsumers({ count: 7, mode: 'assign' }, 6), ['consumers.count is 7, must be a whole number from 1 to 6 consumers, as the topic has so many partitions']);
    assert.deepEqual(wrongConsumers({ count: 2, mode: 'share' as 'assign' }, 6), ['consumers.mode is share, must be subscribe, assign']);
  });
});
