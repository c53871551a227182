import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addDrill } from '../../automation/commands/drill.ts';
import { damage } from '../../automation/drill/objectives.ts';
import type { Exchange } from '../../automation/drill/exchange.ts';
import { faultNamed } from '../../automation/drill/faults/index.ts';
import { faultNames } from '../../automation/drill/faults/names.ts';
import { parseObjective } from '../../automation/drill/objective-text.ts';
import { judgeProduce } from '../../automation/drill/outcome.ts';
import { meaning } from '../../automation/drill/show/words.ts';
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

  it('says of every fault what bounds the gap under it', () => {
    const [, table = ''] = /\| fault \| no record is acknowledged for at most \|\n([^]*?)\n\n/.exec(verdictPage) ?? [];
    assert.deepEqual(faultNames.filter((name) => !table.includes(`\`${name}\``)), []);
  });

  it('says of every condition what it is', () => {
    const code = readFileSync(new URL('../../automation/drill/conditions.ts', import.meta.url), 'utf8').replaceAll('condition.${of}Bound', 'condition.produceBound condition.consumeBound');
    const names = new Set([...code.matchAll(/condition\.[a-zA-Z0-9]+/g)].map(([name]) => name));
    assert.ok(names.size > 10, [...names].join(' '));
    assert.deepEqual([...names].filter((name) => !verdictPage.includes(`\`${name}`)), []);
    assert.deepEqual([...names].filter((name) => meaning(name) === '' && meaning(`${name}.before`) === ''), [], 'nor for a reader of the report');
  });

  const [, table = ''] = /\n## Outcomes\n([^]*?)\n## /.exec(verdictPage) ?? [];
  /** Each class with its outcome, as the table has them. */
  const told = [...table.matchAll(/^\|[^|]*\|([^|]*)\| (ok|failed|unknown) \|[^|]*\|$/gm)].flatMap(([, classes = '', outcome]) => [...classes.matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, outcome] as const));

  it('has every class of outcome that there is, and no other', () => {
    const code = readFileSync(new URL('../../automation/drill/outcome.ts', import.meta.url), 'utf8');
    const fixed = [...code.matchAll(/class: '([\w-]+)'|^ {2}[A-Z_]+: '([\w-]+)',$/gm)].map(([, one, other]) => one ?? other ?? '');
    const made = [...code.matchAll(/`([a-z]+-)\$\{/g)].map(([, begin]) => begin ?? '');
    assert.ok(fixed.length > 15 && made.length > 3, 'the classes are found in the code');
    const isMade = (name: string): boolean => made.some((begin) => name.startsWith(begin));
    const names = told.map(([name]) => name);
    assert.deepEqual([...new Set(fixed)].filter((name) => !names.includes(name)), [], 'not in the table');
    assert.deepEqual([...new Set(made)].filter((begin) => !names.some((name) => name.startsWith(begin) && !fixed.includes(name))), [], 'not in the table');
    assert.deepEqual(names.filter((name) => !fixed.includes(name) && !isMade(name)), [], 'not in the code');
    assert.equal(new Set(names).size, names.length, 'each once');
  });

  const answer = (status: number, body: string): Exchange => ({ issuedMs: 0, sentMs: 1, endMs: 2, status, headers: {}, body });
  const broken = (code: string, sent = true): Exchange => ({ issuedMs: 0, ...(sent ? { sentMs: 1 } : {}), endMs: 2, headers: {}, body: '', error: { code, message: code } });
  const reset = (why: string): Exchange => answer(503, `upstream connect error or disconnect/reset before headers. reset reason: ${why}`);
  const entry = (fields: object): Exchange => answer(200, JSON.stringify({ offsets: [fields] }));
  /** By the class as the table has it: what is judged so. */
  const examples: Record<string, Exchange[]> = {
    'ok': [entry({ partition: 0, offset: 1 })], 'record-404': [entry({ error_code: 404 })], 'record-N': [entry({ error_code: 500 })], 'record-without-offset': [entry({})],
    'unreadable-answer': [answer(200, '')], 'async': [answer(204, '')], 'bridge-refused': [answer(503, 'Bridge is overloaded'), answer(503, 'Producer is disabled in config')],
    'no-healthy-upstream': [answer(503, 'no healthy upstream')], 'upstream-refused': [reset('remote connection failure'), reset('local connection failure'), reset('Connection refused')],
    'upstream-connect-failure': [reset('connection failure'), reset('connection timeout')], 'upstream-overflow': [reset('overflow')], 'upstream-refused-stream': [reset('remote refused stream reset')],
    'upstream-reset': [reset('connection termination'), reset('remote reset'), reset('local reset'), reset('protocol error')], 'upstream-timeout': [answer(504, 'upstream request timeout'), answer(504, 'stream timeout')],
    'http-4xx': [answer(400, ''), answer(404, ''), answer(422, ''), answer(429, ''), answer(499, '')], 'http-408': [answer(408, '')], 'http-N': [answer(500, ''), answer(502, ''), answer(503, ''), answer(504, ''), answer(302, '')],
    'unsent-*': [broken('ECONNREFUSED', false), broken('CLIENT_TIMEOUT', false)], 'timeout': [broken('CLIENT_TIMEOUT')], 'connect-timeout': [broken('UND_ERR_CONNECT_TIMEOUT')],
    'reset': [broken('UND_ERR_SOCKET'), broken('ECONNRESET'), broken('EPIPE')], 'refused': [broken('ECONNREFUSED')], 'drill-ended': [broken('UND_ERR_DESTROYED')],
  };

  it('has the outcome of each as it is judged', () => {
    for (const [name, outcome] of told) {
      const begin = name.replace(/(4xx|N|\*)$/, '');
      assert.ok((examples[name] ?? []).length > 0, `there is an example of ${name}`);
      for (const given of examples[name] ?? []) {
        const judged = judgeProduce(given);
        assert.deepEqual([judged.outcome, begin === name ? judged.class : judged.class.slice(0, begin.length)], [outcome, begin], `${name}: ${given.body}${given.error?.code ?? ''}`);
      }
    }
  });
});
