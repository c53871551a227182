import assert from 'node:assert/strict';
import { skippedContexts } from '../../automation/reach.ts';
import { survey } from '../../automation/survey.ts';
import { clustersInSettings, clustersOfState, together } from '../../automation/usedClusters.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import { checkOf, stackState, urnsOf } from './stack-state-fixtures.ts';

describe('the clusters of an operation', () => {
  const settings = {
    hostname: 'bridge.example', kubeconfig: '/k', kafka: { context: 'kafka', domain: 'kafka.example' },
    regions: [{ name: 'east', context: 'c1', tsbCluster: 'c1' }, { name: 'west', context: 'c2', tsbCluster: 'c2', kubeconfig: '/k2' }],
    tsb: { context: 'central', organization: 'o', tenant: 't' }, tier1: { context: 'central', tsbCluster: 'central' },
  };
  const configuration = parseConfiguration(settings, '/', 'unchecked');

  it('are those of the settings, each once with all that stands in it', () => {
    assert.deepEqual(clustersInSettings(configuration).map(({ context, kubeconfig, parts, regions }) => [context, kubeconfig, parts, regions]), [
      ['kafka', '/k', ['Kafka'], []], ['c1', '/k', ['region east'], ['east']], ['c2', '/k2', ['region west'], ['west']], ['central', '/k', ['TSB', 'tier1'], []],
    ]);
  });

  it('are those of the state as well: a region that was taken out of the settings still has to go', () => {
    assert.deepEqual(clustersOfState(stackState(), '/program').map(({ context, parts, regions }) => [context, parts, regions]), [['central', ['objects of an earlier run'], []], ['east', ['region east'], ['east']], ['west', ['region west'], ['west']]]);
    assert.deepEqual(together(clustersInSettings(configuration), clustersOfState(stackState(), '/program')).map(({ context }) => context), ['kafka', 'c1', 'c2', 'central', 'east', 'west']);
  });

  it('are reached from the program’s directory where the state’s path begins there', () => {
    const state = stackState();
    for (const { inputs } of state.resources ?? []) if (inputs?.kubeconfig !== undefined) inputs.kubeconfig = inputs.context === 'east' ? 'clusters/prod' : inputs.context === 'west' ? '/home/somebody/west' : 'apiVersion: v1\nkind: Config\n';
    assert.deepEqual(clustersOfState(state, '/program').map(({ context, kubeconfig }) => [context, kubeconfig]), [['central', 'apiVersion: v1\nkind: Config\n'], ['east', '/program/clusters/prod'], ['west', '/home/somebody/west']]);
  });

  it('of which one is skipped are not all asked, and all of it is left alone', async () => {
    const state = stackState();
    for (const { inputs } of state.resources ?? []) if (inputs?.context !== 'east') delete inputs?.kubeconfig;
    const found = await survey('refresh', { configuration: undefined, state, program: '/program', orphans: [] }, { skipRegions: ['east'] });
    assert.deepEqual(found.skipped, ['east']);
    assert.deepEqual(found.excluded(state).sort(), [...urnsOf('east'), checkOf('east')].sort());
  });

  it('of which one is skipped keep the traffic generators there, in the state as well', async () => {
    const generating = parseConfiguration({ ...settings, generators: { topic: 'sales', context: 'c1' } }, '/', 'unchecked');
    assert.deepEqual([...skippedContexts(clustersInSettings(generating), ['east'])], [['east', 'c1']]);
    const state = stackState();
    for (const { inputs } of state.resources ?? []) if (inputs?.context !== 'east') delete inputs?.kubeconfig;
    const [provider = ''] = urnsOf('east');
    const generators = { urn: 'urn:pulumi:dev::p::kbf:index:TrafficGenerators::generators', type: 'kbf:index:TrafficGenerators', custom: false };
    const producer = { urn: 'urn:pulumi:dev::p::kbf:index:TrafficGenerators$kubernetes:apps/v1:Deployment::generators-producer', type: 'kubernetes:apps/v1:Deployment', custom: true, parent: generators.urn, provider: `${provider}::id-east` };
    state.resources?.push(generators, producer);
    const found = await survey('refresh', { configuration: undefined, state, program: '/program', orphans: [] }, { skipRegions: ['east'] });
    assert.deepEqual(found.excluded(state).sort(), [...urnsOf('east'), checkOf('east'), generators.urn, producer.urn].sort());
  });
});
