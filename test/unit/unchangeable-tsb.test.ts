/** What a run may do to gateways and to what TSB knows of them: nothing that TSB refuses, or that takes the certificate that clients are shown. */
import assert from 'node:assert/strict';

import { unchangeable } from '../../components/unchangeable.ts';
import { type Changes, configuration, previousOf, recordTopology, region } from './topology-fixtures.ts';

const own = 'one that this stack made';
const given = 'one that exists';

describe('the settings of a workspace', () => {
  const hierarchy = (settings: object, bridges = 'ws-b'): Changes => ({ tsb: { tenant: { existing: 'platform' }, workspaces: { bridges: { existing: bridges }, edge: { existing: 'ws-e' } }, settings } });
  const named = { bridges: 'set-b', edge: 'set-e' };

  it('are not given away, which would delete them', async () => {
    assert.deepEqual(await refused(hierarchy(named), hierarchy({ bridges: { existing: 'set-b' }, edge: { existing: 'set-e' } })), [['tsb.settings.bridges', own, given], ['tsb.settings.edge', own, given]]);
  });

  it('keep their names, as TSB takes no second ones', async () => {
    assert.deepEqual(await refused(hierarchy(named), hierarchy({ bridges: 'other', edge: 'another' })), [['tsb.settings.bridges', 'set-b', 'other'], ['tsb.settings.edge', 'set-e', 'another']]);
    assert.deepEqual(await refused({ tsb: { settings: { bridges: 'set-b' } } }, {}), [['tsb.settings.bridges', 'set-b', 'bridges']], 'those of a workspace of its own are called like it');
    assert.deepEqual(await refused({}, { tsb: { settings: { edge: 'edge' } } }), []);
  });

  it('may give way to somebody else’s, beside which TSB cannot have taken them', async () => {
    assert.deepEqual(await refused(hierarchy(named), hierarchy({ ...named, edge: { existing: 'theirs' } })), []);
  });

  it('may be others in another workspace, and may become the program’s own', async () => {
    assert.deepEqual(await refused(hierarchy(named), hierarchy({ ...named, bridges: 'other' }, 'ws-2')), [['tsb.workspaces.bridges', 'ws-b', 'ws-2']]);
    assert.deepEqual(await refused(hierarchy({ bridges: { existing: 'set-b' }, edge: { existing: 'set-e' } }), hierarchy(named)), []);
  });
});

describe('the setting of the organization', () => {
  const networks = { 'tsb-east': 'tier2', 'tsb-west': 'tier2', central: 'tier1' };
  const set = (organizationSetting?: string, reachability: object = { tier1: ['tier2'] }): Changes => ({ tsb: { setup: { networks, reachability, ...(organizationSetting === undefined ? {} : { organizationSetting }) } } });

  it('keeps its name, as there is one, and it stays', async () => {
    assert.deepEqual(await refused(set(), set('theirs')), [['tsb.setup.organizationSetting', 'tetrate', 'theirs']]);
    assert.deepEqual(await refused(set('theirs'), set()), [['tsb.setup.organizationSetting', 'theirs', 'tetrate']]);
    assert.deepEqual(await refused(set(), set('tetrate')), []);
  });

  it('may have any name where the program has made none yet, or makes none any more', async () => {
    assert.deepEqual(await refused(set(undefined, {}), set('theirs')), []);
    assert.deepEqual(await refused(set(), set('theirs', {})), []);
    assert.deepEqual(await refused(set(), {}), []);
  });
});

describe('the routes of a region’s gateway', () => {
  const gateways = (routes: object): Changes => ({ regions: [region('east', { gateway: { name: 'gw', ...routes } }), region('west')] });

  for (const api of ['gateway', 'tier1gateway']) {
    it(`keep their name, as TSB takes no second ones (${api})`, async () => {
      const tsb = { tsb: { api } };
      assert.deepEqual(await refused({ ...gateways({}), ...tsb }, { ...gateways({ routes: 'r' }), ...tsb }), [['regions[0].gateway.routes', 'gw', 'r']]);
      assert.deepEqual(await refused({ ...gateways({ routes: 'r' }), ...tsb }, { ...gateways({}), ...tsb }), [['regions[0].gateway.routes', 'r', 'gw']]);
      assert.deepEqual(await refused({ ...gateways({}), ...tsb }, { ...gateways({ routes: 'gw' }), ...tsb }), []);
    });
  }
});

describe('the certificate that tier1 shows', () => {
  const issuer = { name: 'i', kind: 'ClusterIssuer' };
  const sources = { 'self-signed': {}, 'cert-manager': { issuer }, secret: {} };
  type Source = keyof typeof sources;
  const shown = (source: Source, secret = 'tier1-tls', more: Changes = {}): Changes => ({ namespaces: 'given', ...more, tier1: { tls: { source, ...sources[source], secret } } });

  for (const [before, after] of [['self-signed', 'secret'], ['cert-manager', 'self-signed'], ['secret', 'self-signed']] as const) {
    it(`is not from another source in the same Secret: ${before}, then ${after}`, async () => {
      assert.deepEqual(await refused(shown(before), shown(after)), [['tier1.tls.source', before, after]]);
      assert.deepEqual(await refused(shown(before), shown(after, 'other')), []);
    });
  }

  it('may come otherwise where it never came', async () => {
    const recording = await recordTopology(shown('cert-manager'));
    const previous = previousOf({ resources: recording.resources.filter(({ name }) => name !== 'tier1-routes'), outputsOf: () => ({}) });
    assert.deepEqual(unchangeable(previous, configuration(shown('self-signed'))), []);
  });

  it('is not where tier1 has a kind of its own either', async () => {
    const tsb = { tsb: { api: 'tier1gateway' } };
    assert.deepEqual(await refused(shown('secret', 'tier1-tls', tsb), shown('self-signed', 'tier1-tls', tsb)), [['tier1.tls.source', 'secret', 'self-signed']]);
  });

  it('may be cert-manager’s, or somebody’s who goes on with what cert-manager left', async () => {
    assert.deepEqual(await refused(shown('secret'), shown('cert-manager')), []);
    assert.deepEqual(await refused(shown('self-signed'), shown('cert-manager')), []);
    assert.deepEqual(await refused(shown('cert-manager'), shown('secret')), []);
  });

  it('may come and go', async () => {
    assert.deepEqual(await refused({}, { tier1: { tls: { source: 'self-signed' } } }), []);
    assert.deepEqual(await refused({ tier1: { tls: { source: 'self-signed' } } }, {}), []);
  });

  it('is not said to be had under another name where its namespace would go', async () => {
    assert.deepEqual(await refused({ tier1: { tls: { source: 'self-signed' } } }, { tier1: { tls: { source: 'secret' } } }), [['tier1.tls', 'a namespace that this stack made', given]]);
  });
});

async function refused(before: Changes, after: Changes): Promise<string[][]> {
  return unchangeable(previousOf(await recordTopology(before)), configuration(after)).map(({ path, running, wanted }) => [path, running, wanted]);
}
