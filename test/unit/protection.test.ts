import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Protection } from '../../automation/protection.ts';
import type { StackState } from '../../automation/stackState.ts';
import { storedStack } from '../fixtures/stored-stack.ts';
import { EnvironmentFixture } from './environment-fixtures.ts';

const resource = (name: string, protect: boolean): NonNullable<StackState['resources']>[number] => ({ urn: `urn:pulumi:dev::tiny::kubernetes:core/v1:ConfigMap::${name}`, type: 'kubernetes:core/v1:ConfigMap', custom: true, id: name, protect });

describe('the engine’s protection', () => {
  for (const [how, script] of [['fails', 'echo "error: enough" >&2; exit 255'], ['ends', 'exit 0']] as const) {
    it(`is off for a destroy${how === 'fails' ? ', and on again where that fails' : ''}`, async () => {
      await using fixture = await EnvironmentFixture.make();
      await fixture.state({ resources: [resource('topic', true), resource('other', false)] });
      const imported = fixture.at('imported');
      const environment = await fixture.open(`case "$1 $2" in "stack import") cat "$4" >> ${imported}; echo >> ${imported};; destroy*) ${script};; esac`);
      await environment.destroy().catch(() => undefined);
      const states = (await readFile(imported, 'utf8')).trim().split('\n').map((line) => (JSON.parse(line) as { deployment: StackState }).deployment.resources?.map(({ protect }) => protect));
      assert.deepEqual(states, [[false, false], ...(how === 'fails' ? [[true, false]] : [])]);
    });
  }

  it('is not said to be off where the state never was changed', async () => {
    await using fixture = await EnvironmentFixture.make();
    await fixture.state({ resources: [resource('topic', true)] });
    const environment = await fixture.open(`case "$1 $2" in "stack import") echo >> ${fixture.at('imports')}; echo "error: the stack is currently locked by 1 lock(s)" >&2; exit 255;; esac`);
    const notices: unknown[] = [];
    await assert.rejects(environment.destroy({ onEvent: (event) => { notices.push(event); } }), { code: 'locked' });
    assert.deepEqual([notices, await readFile(fixture.at('imports'), 'utf8')], [[], '\n']);
  });

  /** What `giveBack` answers, and which of the state have it then. */
  async function given(left: StackState, imported?: () => void): Promise<{ said: string | undefined; protect: (boolean | undefined)[] | undefined }> {
    const protection = new Protection();
    assert.equal(protection.takeOff({ resources: [resource('topic', true), resource('gone', true), resource('other', false)] }), true);
    protection.isOff();
    let state = left;
    const stack = storedStack({ exported: () => ({ version: 3, deployment: state }), imported: ({ deployment }) => { imported?.(); state = deployment as StackState; } });
    const said = await protection.giveBack({ stack, files: undefined });
    return { said, protect: state.resources?.map(({ protect }) => protect) };
  }

  it('comes back to what is left of what had it, and to nothing else', async () => {
    assert.deepEqual(await given({ resources: [resource('topic', false), resource('other', false), resource('new', false)] }), { said: undefined, protect: [true, false, false] });
  });

  it('stays off where a killed engine’s operations would be forgotten, or the state cannot be changed, and that is said', async () => {
    const left = { resources: [resource('topic', false)] };
    const pending = { ...left, pending_operations: [{ type: 'creating', resource: resource('new', false) }] };
    assert.deepEqual(await given(pending, () => assert.fail('it was changed')), { said: 'what is left of topic, gone is not protected any more until the next up: an operation that was not ended has to be looked up first', protect: [false] });
    const { said } = await given(left, () => { throw new Error('error: the stack is currently locked by 1 lock(s)'); });
    assert.match(said ?? '', /^what is left of topic, gone is not protected any more until the next up: The state of stack dev cannot be changed\.\nthe stack is currently locked/);
  });

  it('is not looked for where nothing had it', async () => {
    const protection = new Protection();
    assert.equal(protection.takeOff({ resources: [resource('other', false)] }), false);
    protection.isOff();
    assert.equal(await protection.giveBack({ stack: storedStack({ exported: () => assert.fail('it was asked') }), files: undefined }), undefined);
  });
});
