import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { configurationIn, configurationOf, unseenSettings } from '../../automation/configuration.ts';
import { located } from '../../automation/options.ts';
import { openDirectory } from '../../automation/project.ts';
import { renderStack } from '../../automation/render/index.ts';
import { type ConfigurationFiles, configurationFiles, validConfiguration } from './configuration-fixtures.ts';

describe('settings in a project’s Pulumi.yaml', () => {
  let files: ConfigurationFiles;
  beforeEach(() => {
    files = configurationFiles();
    const { kafka, ...rest } = validConfiguration();
    write('Pulumi.yaml', { name: 'tiny', runtime: 'nodejs', common: { '<<': {} }, config: { 'tiny:kafka': { value: kafka }, checks: false } });
    write('Pulumi.prod.yaml', { config: rest });
  });
  afterEach(() => { files[Symbol.dispose](); });

  const write = (name: string, content: unknown): void => { writeFileSync(join(files.directory, name), stringify(content)); };
  const options = (more = {}) => ({ program: files.directory, stack: 'prod', stateDir: join(files.directory, 'state'), ...more });
  const directoryFor = async (more: object) => await openDirectory(located(options(more)), { scratch: join(files.directory, 'scratch'), kept: join(files.directory, 'kept') });

  it('are what commands look at, and what operations run, also on a copy', async () => {
    assert.equal((await configurationOf(options(), 'checked')).checks, false);
    for (const [settings, checks] of [[{}, false], [{ checks: true }, true]] as const) {
      await using directory = await directoryFor({ settings });
      const configuration = await configurationIn(directory.path, located(options({ settings })));
      assert.deepEqual([configuration.kafka.existing, configuration.checks], [(await configurationOf(options(), 'checked')).kafka.existing, checks]);
    }
  });

  it('of Pulumi ESC are told of, and not rendered', async () => {
    assert.equal(await unseenSettings(options()), undefined);
    write('Pulumi.prod.yaml', { environment: ['prod'], config: validConfiguration() });
    const told = `${join(files.directory, 'Pulumi.prod.yaml')} has environment: what Pulumi ESC brings from there is seen by the program alone`;
    assert.equal(await unseenSettings(options()), told);
    await assert.rejects(renderStack(options()), { exitCode: 2, message: `${told}.` });
  });
});
