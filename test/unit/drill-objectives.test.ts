import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { holds, limitText, objectiveNames, parseObjective, readObjectives } from '../../automation/drill/objective-text.ts';

const regions = ['east', 'west-2'];

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exitCode, 2);
    return `${error.message} | ${error.remedy ?? ''}`;
  }
  throw new Error('it was taken');
}

describe('an objective', () => {
  for (const [text, name, op, limit, shown] of [
    ['produce.blackoutMs<=100', 'produce.blackoutMs', '<=', 100, '<= 100 ms'],
    [' produce.blackoutMs < 1.5s ', 'produce.blackoutMs', '<', 1500, '< 1500 ms'],
    ['produce.latencyMs.p99<=250ms', 'produce.latencyMs.p99', '<=', 250, '<= 250 ms'],
    ['log.duplicates.clientRetry=0', 'log.duplicates.clientRetry', '=', 0, '= 0'],
    ['regions.west-2.during>=99%', 'regions.west-2.during', '>=', 0.99, '>= 99 %'],
    ['regions.east.after>0.2', 'regions.east.after', '>', 0.2, '> 20 %'],
    ['produce.failed<=0.1%', 'produce.failed', '<=', 0.001, '<= 0.1 % of those sent'],
  ] as const) {
    it(`is read from '${text}'`, () => {
      const expression = parseObjective(text, regions);
      assert.deepEqual([expression.name, expression.op, expression.limit], [name, op, limit]);
      assert.equal(limitText(expression), shown);
    });
  }

  for (const [text, said] of [
    ['produce.blackoutMs', /is not NAME OPERATOR LIMIT/],
    ['produce.blackoutMs==100', /is not NAME OPERATOR LIMIT/],
    ['produce.blackoutMs<=-1', /is not NAME OPERATOR LIMIT/],
    ['produce.blackoutMs<=100 minutes', /is not NAME OPERATOR LIMIT/],
    ['produce.blackout<=100', /there is no figure produce\.blackout \| Did you mean produce\.blackoutMs\? There is produce\.sent, .*regions\.west-2\.after/],
    ['regions.east.durin>0', /Did you mean regions\.east\.during\?/],
    ['regions.north.during>0', /there is no figure regions\.north\.during/],
    ['constructor<=1', /there is no figure constructor/],
    ['condition.faultTookHold=1', /there is no figure condition/],
    ['produce.blackoutMs<=5%', /is no figure in %.*It is a time/],
    ['log.ackedLost<=5%', /is no figure in %.*a number of records/],
    ['produce.failed<=5ms', /is no figure in ms/],
    ['consume.recreated<=0.5', /0\.5 is no whole number/],
    ['regions.east.during<=2', /is a share, 2 is more than all/],
    ['produce.failed<=101%', /101% is more than all/],
  ] as const) {
    it(`is refused: '${text}'`, () => {
      assert.match(refusal(() => parseObjective(text, regions)), said);
    });
  }

  it('holds by its operator, and as a share of what was sent', () => {
    const at = (text: string, value: number, sent?: number): boolean => holds(parseObjective(text, regions), value, sent);
    assert.deepEqual([at('produce.failed<=2', 2), at('produce.failed<2', 2), at('produce.failed>=2', 2), at('produce.failed>2', 2), at('produce.failed=2', 2)], [true, false, true, false, true]);
    assert.deepEqual([at('produce.failed<=1%', 10, 1000), at('produce.failed<=1%', 11, 1000)], [true, false]);
  });

  it('holds exactly at its limit, whatever a share is as a binary fraction', () => {
    for (const sent of [1000, 3000, 19_200]) {
      for (let permille = 1; permille < 1000; permille += 1) {
        const at = sent * permille / 1000;
        if (!Number.isInteger(at)) continue;
        const text = `${permille / 10}%`;
        assert.deepEqual(['<=', '<', '='].map((op) => holds(parseObjective(`produce.failed${op}${text}`), at, sent)), [true, false, true], `${at} of ${sent} and ${text}`);
        assert.deepEqual(['<=', '<', '='].map((op) => holds(parseObjective(`regions.east.during${op}${text}`), at / sent)), [true, false, true], `${at}/${sent} and ${text}`);
      }
    }
  });

  it('takes any region while the stack is not known', () => {
    assert.equal(parseObjective('regions.north.during>=50%').limit, 0.5);
    assert.match(refusal(() => parseObjective('regions.north.while>=50%')), /there is no figure regions\.north\.while/);
    assert.match(refusal(() => parseObjective('regions.north.during>=50%', [])), /there is no figure regions\.north\.during/);
  });

  it('can be about every name that is listed', () => {
    for (const { meaning } of objectiveNames(regions)) assert.doesNotMatch(meaning, /\bthese\b/, 'no line before it is always there');
    for (const { name, unit } of objectiveNames(regions)) assert.equal(parseObjective(`${name}<=${unit === 'share' ? '1' : '7'}`, regions).name, name);
  });
});

describe('a file of objectives', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kbf-objectives-'));
  const file = (text: string): string => {
    const path = join(dir, 'objectives.yaml');
    writeFileSync(path, text);
    return path;
  };
  after(() => { rmSync(dir, { recursive: true }); });

  it('is a list, as YAML or JSON', () => {
    assert.deepEqual(readObjectives(file('- produce.blackoutMs<=100\n- produce.failed=0\n')).map(({ name }) => name), ['produce.blackoutMs', 'produce.failed']);
    assert.deepEqual(readObjectives(file('["log.ackedLost=0"]')).map(({ name }) => name), ['log.ackedLost']);
  });

  for (const [what, text, said] of [
    ['nothing', '', /is not a list of objectives/],
    ['no list', 'a: b', /is not a list of objectives/],
    ['an entry that is no text', '- 7', /entry 1 is no text but 7/],
    ['a wrong entry', '- log.ackedLost=0\n- log.lost=0', /entry 2: .*there is no figure log\.lost/],
    ['no YAML', '[', /cannot be read/],
  ] as const) {
    it(`is refused with ${what}`, () => {
      assert.match(refusal(() => readObjectives(file(text))), said);
    });
  }

  it('is refused when it is not there', () => {
    assert.match(refusal(() => readObjectives(join(dir, 'none'))), /cannot be read: ENOENT/);
  });
});
