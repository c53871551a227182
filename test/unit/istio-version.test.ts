import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { istio } from '../../sandbox/operators/istio.ts';
import { table } from '../../sandbox/toolchain/table.ts';
import type { Wanted } from '../../sandbox/operators/tsb/translate/objects.ts';
import { installedGateway } from '../../sandbox/operators/tsb/translate/install.ts';

describe("Istio's version", () => {
  const { version = '' } = table.find(({ name }) => name === 'istiod') ?? {};

  it('names the commit that is compiled', () => {
    const [, commit = ''] = /^1\.31-([0-9a-f]{12})$/.exec(version) ?? assert.fail(version);
    const module = readFileSync(new URL('../../sandbox/toolchain/go/istiod/go.mod', import.meta.url), 'utf8');
    assert.match(module, new RegExp(`istio\\.io/istio v0\\.0\\.0-\\d+-${commit}`));
  });

  it('is the tag of every image of Istio\'s', async () => {
    const text = JSON.stringify([await istio.objects({ cluster: { name: 'east' }, tools: { istioCrds: '/dev/null' } } as never), gateway()]);
    const tags = [...text.matchAll(/docker\.io\/istio\/(\w+):([^"\\]+)/g)].map(([, image, tag]) => `${String(image)} ${String(tag)}`);
    assert.deepEqual(tags, [`pilot ${version}`, `proxyv2 ${version}`, `proxyv2 ${version}`]);
    assert.ok(text.includes(JSON.stringify({ name: 'ISTIO_VERSION', value: version })));
  });

  function gateway(): Wanted[] {
    const object = { apiVersion: 'install.tetrate.io/v1alpha1', kind: 'Gateway', metadata: { name: 'gw', namespace: 'ns', uid: 'u' }, spec: {} };
    return installedGateway({ gateways: [] }, { name: 'east' } as never, object as never);
  }
});
