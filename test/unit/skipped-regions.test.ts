/** What a run does of a region whose cluster does not answer: nothing, and nothing else knows less of it. */
import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import { Previous } from '../../components/previous.ts';
import { skippedRegions } from '../../components/skipped.ts';
import { buildTopology } from '../../components/topology.ts';
import { tsbClusterNames } from '../../components/tsb-clusters.ts';
import type { RegionConfiguration } from '../../config/schema.ts';
import { answeringCluster, record, type Recording } from './pulumi-mocks.ts';
import { configuration, operators, previousOf } from './topology-fixtures.ts';

describe('what is made of a region that is skipped', () => {
  let running: Recording;
  let previous: Previous;
  let two: Recording;
  let known: Record<string, unknown>;

  before(async () => {
    running = await record(() => buildTopology(configuration(), answeringCluster(operators)));
    previous = previousOf(running);
    const skipped = skippedRegions(previous, { KBF_SKIP_REGIONS: 'east' });
    two = await record(() => {
      const topology = buildTopology(configuration(), answeringCluster(operators), { skipped, changes: { arrived: [], departed: [] }, previous });
      const east = topology.regions.find(({ name }) => name === 'east')?.region;
      pulumi.output(east as object).apply((outputs) => { known = outputs as Record<string, unknown>; });
    });
  });

  it('is asked nothing: neither its objects nor its cluster are registered', () => {
    const clusters = new Set(two.resources.map(({ provider }) => provider));
    assert.ok(!clusters.has('east') && clusters.has('west'));
    assert.ok(!two.resources.some(({ name }) => name === 'east' || name.startsWith('east-')));
  });

  it('is all that was last known of it', () => {
    assert.deepEqual({ ...known }, { tsbCluster: 'tsb-east', bridge: 'kafka-bridge', bridgeService: 'kafka-bridge-http', gatewayAddress: '10.0.0.1', regionUrl: 'http://east.bridge.example' });
  });

  it('changes nothing about tier1 and TSB', () => {
    for (const [type, name] of [['gateway.tsb.tetrate.io/v2:Gateway', 'tier1-routes'], ['tsb.tetrate.io/v2:Workspace', 'tsb-workspace-bridges']] as const) {
      assert.deepEqual(two.inputsOf(type, name), running.inputsOf(type, name));
    }
  });

  it('is nothing where it never was', async () => {
    let names: string[] = [];
    await record(() => {
      const skipped = skippedRegions(new Previous({}), { KBF_SKIP_REGIONS: 'east' });
      names = buildTopology(configuration(), answeringCluster(operators), { skipped, changes: { arrived: [], departed: [] }, previous: new Previous({}) }).regions.map(({ name }) => name);
    });
    assert.deepEqual(names, ['west']);
  });

  it('is nothing where its making failed: without a name of its own in the settings it is refused', async () => {
    const failed = new Previous({ 'urn:pulumi:dev::p::kbf:index:KafkaBridgeRegion::east': { outputs: {} } });
    const skipped = skippedRegions(failed, { KBF_SKIP_REGIONS: 'east' });
    assert.deepEqual([...skipped], [['east', undefined]]);
    const { regions: [east, ...others], ...settings } = configuration();
    await record(() => undefined);
    const { checked } = tsbClusterNames({ ...settings, regions: [{ ...east, tsbCluster: undefined } as RegionConfiguration, ...others] }, answeringCluster(() => undefined), skipped);
    await assert.rejects(checked, /^Error: regions\[0\]\.tsbCluster is not set, and its cluster is skipped: set it/);
  });

  it('leaves the check of tier1 as it was, and makes none where there was none', async () => {
    const checkOf = async (before: Previous): Promise<boolean> => {
      const skipped = skippedRegions(before, { KBF_SKIP_REGIONS: 'east' });
      const { resources } = await record(() => { buildTopology(configuration(), answeringCluster(operators), { skipped, changes: { arrived: [], departed: [] }, previous: before }); });
      return resources.some(({ name }) => name === 'tier1-check');
    };
    assert.deepEqual([await checkOf(previous), await checkOf(new Previous({}))], [true, false]);
  });
});
