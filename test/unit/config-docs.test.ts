import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { parse } from 'yaml';

import { problemsOf } from '../../config/configuration.ts';
import { keysOf, type Schema, schemaAt } from '../../config/schema-walk.ts';
import { configurationSchema } from '../../config/schema.ts';
import { asRecord } from '../../config/text.ts';
import { type ConfigurationFiles, configurationFiles, validConfiguration } from './configuration-fixtures.ts';
import { inRepository, repository, stackFile } from './examples-fixtures.ts';

const prefix = 'kafka-bridge-failover:';

interface Block {
  readonly page: string;
  /** What it says, by concern. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Blocks of a page that are a stack file or a part of one: its keys, or those of one concern. */
function blocksOf(page: string): Block[] {
  return [...inRepository(page).matchAll(/^```(yaml)?\n([^]*?)^```$/gm)].flatMap(([, language, text = '']) => {
    if (language === undefined && !text.startsWith(prefix)) return [];
    const settings = settingsIn(asRecord(parse(text)));
    return settings === undefined ? [] : [{ page, settings }];
  });
}

function settingsIn(block: Record<string, unknown>): Record<string, unknown> | undefined {
  const keyed = asRecord(block['config'] ?? block);
  const keys = Object.keys(keyed);
  if (keys.length === 0) return undefined;
  if (keys.some((key) => key.startsWith(prefix))) return Object.fromEntries(Object.entries(keyed).map(([key, value]) => [key.replace(prefix, ''), value]));
  const concern = Object.keys(configurationSchema.shape).find((name) => keys.every((key) => keysOf(schemaAt(configurationSchema as unknown as Schema, undefined, [name])).includes(key)));
  return concern === undefined ? undefined : { [concern]: keyed };
}

/** What surrounds a block: the settings of the example that the page is about, or what has to be there. */
function around(page: string): Record<string, unknown> {
  const example = page === 'docs/operators.md' ? 'openshift' : page.startsWith('docs/examples/') ? basename(page, '.md') : undefined;
  return example === undefined ? validConfiguration() : settingsIn(asRecord(parse(inRepository(stackFile(example))))) ?? {};
}

/** A Kafka that exists takes the place of one that is made; of all else a block says only a part. */
function laid(block: Block): Record<string, unknown> {
  const whole = around(block.page);
  return { ...whole, ...Object.fromEntries(Object.entries(block.settings).map(([concern, value]) => [concern, Array.isArray(value) || typeof value !== 'object' || 'existing' in asRecord(value) ? value : { ...asRecord(whole[concern]), ...value }])) };
}

describe('settings in the documentation', () => {
  let files: ConfigurationFiles;
  before(() => {
    files = configurationFiles();
    const at = (...path: string[]): string => join(files.directory, ...path);
    // What pages tell a person to have.
    mkdirSync(at('charts'));
    writeFileSync(at('charts', 'cert-manager-v1.21.2.tgz'), '');
    mkdirSync(at('examples', 'existing-kafka'), { recursive: true });
    for (const path of [at('ca.crt'), at('examples', 'existing-kafka', 'ca.crt')]) copyFileSync(at('root.crt'), path);
  });
  after(() => { files[Symbol.dispose](); });

  const pages = readdirSync(`${repository}docs`, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md')).map((path) => `docs/${path}`).sort();
  const blocks = pages.flatMap(blocksOf);

  it('are found', () => {
    const prefixed = pages.filter((page) => readFileSync(`${repository}${page}`, 'utf8').includes(`\n${prefix}`));
    assert.ok(blocks.length >= 9, `${String(blocks.length)} blocks`);
    assert.deepEqual(prefixed.filter((page) => !blocks.some((block) => block.page === page)), []);
  });

  for (const block of blocks) {
    it(`are right in ${block.page}: ${Object.keys(block.settings).join(', ')}`, () => {
      assert.deepEqual(problemsOf(laid(block), { directory: files.directory, contexts: 'unchecked' }), []);
    });
  }
});
