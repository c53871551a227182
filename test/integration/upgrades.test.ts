/** Versions that are raised on a running stack, one at a time and in the order that Strimzi documents, while a client works. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { Load } from './load.ts';
import { Workshop, eventually, root } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Answer {
  readonly changes: Record<string, number>;
  readonly resources: readonly { readonly op: string; readonly name: string }[];
}

const name = 'upgrades';
const regions = ['east', 'west'];

describe('versions that are raised while clients work', () => {
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let load: Load | undefined;

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    await up({ bridge: '1.0.0' });
  });

  afterEach(async () => {
    await load?.stop();
    load = undefined;
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  /** The repository's own settings with these versions. */
  async function up(versions: { bridge: string }): Promise<Answer> {
    const file = join(workshop.stateDir, 'Pulumi.upgrades.yaml');
    const { config } = parse(await readFile(join(root, 'Pulumi.dev.yaml'), 'utf8')) as { config: Record<string, object> };
    config['kafka-bridge-failover:bridge'] = { version: versions.bridge };
    await writeFile(file, stringify({ config }));
    return await workshop.json<Answer>('up', '--sandbox', name, '--config', file);
  }

  async function startLoad(): Promise<Load> {
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    const started = load = new Load(relays['central/edge/tier1:80'] ?? '', 'kafka-bridge.example');
    await eventually(`answers from ${regions.join(' and ')}`, 30_000, () => Promise.resolve(regions.every((region) => started.shares(0)[region] !== undefined) || undefined));
    return started;
  }

  async function imagesOf(context: string, namespace: string, kind: string): Promise<string[]> {
    const images = await workshop.kubectl(sandbox, context, '--namespace', namespace, 'get', 'pods', '--selector', `strimzi.io/kind=${kind}`, '--output', 'jsonpath={.items[*].spec.containers[0].image}');
    return images.split(' ');
  }

  const changed = ({ resources }: Answer): string[] => resources.filter(({ op }) => op !== 'same').map(({ op, name: resource }) => `${op} ${resource}`).sort();

  it('the bridges\', a new one being there before the old one goes', async () => {
    const started = await startLoad();
    assert.deepEqual(changed(await up({ bridge: '1.1.0' })), ['update east-bridge', 'update west-bridge']);
    for (const region of regions) await eventually(`only new bridges in ${region}`, 60_000, async () => (await imagesOf(region, 'kafka-bridge', 'KafkaBridge')).every((image) => image === 'quay.io/strimzi/kafka-bridge:1.1.0') || undefined);
    await started.unharmed();
    assert.deepEqual(Object.keys((await up({ bridge: '1.1.0' })).changes), ['same']);
  });
});
