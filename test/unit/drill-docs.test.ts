import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addDrill } from '../../automation/commands/drill.ts';
import { damage } from '../../automation/drill/compare.ts';
import { faultNamed } from '../../automation/drill/faults/index.ts';
import { parseObjective } from '../../automation/drill/objective-text.ts';
import type { Session } from '../../automation/session.ts';

const page = readFileSync(new URL('../../docs/drill.md', import.meta.url), 'utf8');
const verdictPage = readFileSync(new URL('../../docs/verdict.md', import.meta.url), 'utf8');

/** The flags of `kbf drill`. */
function flags(): string[] {
  const program = new Command();
  addDrill(program, {} as Session);
  return program.commands[0]?.options.map(({ long }) => long ?? '') ?? [];
}

describe('the page about the drill', () => {
  it('names only flags that there are, and all that choose the load and the verdict', () => {
    const named = new Set([...page.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag));
    const known = flags();
    assert.deepEqual([...named].filter((flag) => !known.includes(flag) && flag !== '--compare'), []);
    assert.deepEqual(known.filter((flag) => !named.has(flag) && !['--config', '--kubeconfig', '--json'].includes(flag)), []);
  });

  it('uses faults and objectives that there are', () => {
    const named = [...page.matchAll(/--fault ([\w-]+)|fault: ([\w-]+)/g)].map(([, flag, step]) => flag ?? step ?? '');
    assert.ok(named.length > 0);
    assert.deepEqual(named.filter((name) => faultNamed(name) === undefined), []);
    const objectives = [...page.matchAll(/`(produce|consume|regions)(\.[\w.]+)(<=|>=|<|>|=)([\d.]+(?:ms|s|%)?)`|expect: (\S+)/g)].map(([whole]) => whole.replace(/^expect: |`/g, ''));
    for (const text of objectives) assert.doesNotThrow(() => parseObjective(text.replaceAll('`', ''), ['east', 'west']), text);
    assert.ok(objectives.length >= 5, objectives.join(' '));
  });

  it('links only to files that there are', () => {
    for (const [, file = ''] of page.matchAll(/\]\(([\w./-]+)\)/g)) assert.ok(existsSync(new URL(`../../docs/${file}`, import.meta.url)), file);
  });
});

describe('the page about the verdict', () => {
  it('has as damage what a comparison takes for it', () => {
    const [, findings = ''] = /\n## Data\n([^]*?)\| \*counted, no finding\*/.exec(verdictPage) ?? [];
    assert.deepEqual([...findings.matchAll(/^\| `([\w.]+)`/gm)].map(([, name]) => name), [...damage]);
  });
});
