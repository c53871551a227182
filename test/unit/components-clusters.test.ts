import assert from 'node:assert/strict';
import { join } from 'node:path';

import { clustersOf } from '../../components/cluster.ts';
import { record } from './pulumi-mocks.ts';
import { configuration, recordTopology, region } from './topology-fixtures.ts';

describe('the path of a kubeconfig', () => {
  /** As the provider has it, and a command that asks the cluster. */
  async function inputs(kubeconfig: string): Promise<[unknown, unknown]> {
    const settings = { ...configuration({}), ...{ tsb: { ...configuration({}).tsb, context: 'central', kubeconfig } } };
    let given: unknown;
    const made = await record(() => { given = clustersOf({ ...settings, tier1: { ...settings.tier1, kubeconfig } })('central').kubeconfig; });
    return [made.inputsOf('pulumi:providers:kubernetes', 'central')?.['kubeconfig'], given];
  }

  it('begins in the program’s directory where the file lies there, and so is the same in another checkout', async () => {
    assert.deepEqual(await inputs(join(process.cwd(), 'clusters/prod')), ['clusters/prod', { file: 'clusters/prod' }]);
    assert.deepEqual(await inputs(join(process.cwd(), '..prod')), ['..prod', { file: '..prod' }]);
  });

  it('is a whole one anywhere else', async () => {
    for (const path of ['/home/somebody/.kube/config', join(process.cwd(), '../prod'), join(process.cwd(), '..')]) assert.deepEqual(await inputs(path), [path, { file: path }]);
  });

  it('is no reason to look again', async () => {
    const triggers = async (kubeconfig: string): Promise<unknown[]> => {
      const { resources } = await recordTopology({ kubeconfig, regions: [region('east', { kubeconfig: `${kubeconfig}-east` }), region('west')] });
      return resources.filter(({ type }) => type === 'command:local:Command').map(({ name, inputs: { triggers: of } }) => [name, of]);
    };
    const here = await triggers('/home/one/.kube/config');
    assert.equal(here.length, 6);
    assert.deepEqual(here, await triggers('/home/other/.kube/config'));
  });
});
