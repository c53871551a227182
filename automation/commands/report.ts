import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../errors.ts';
import { exitCodeOf } from '../drill/exit-code.ts';
import { pageOf } from '../drill/show/page.ts';
import { renderTable } from '../drill/table.ts';
import type { Session } from '../session.ts';

interface Flags {
  compare?: boolean;
  json?: boolean;
}

/** `kbf report`. What judges is loaded by the action: every command waits for this file. */
export function addReport(program: Command, session: Session): void {
  program.command('report').description('judges a stored drill again, or compares two')
    .argument('<dirs...>', 'the directory of a report; with --compare two, the earlier first')
    .option('--compare', 'what is different from the first to the second, and what got worse (exit code 3 if the verdict did, or if more data is damaged; 4 if the second answers nothing)')
    .option('--json', 'as a JSON document')
    .action(async (given: string[], { compare: two = false, json = false }: Flags) => {
      const [first = '', second, ...more] = given.map((directory) => resolve(directory));
      if (more.length > 0 || two !== (second !== undefined)) {
        throw new UserError(two ? '--compare takes two directories.' : 'Several directories are given.', { exitCode: 2, remedy: 'Use kbf report DIR, or kbf report --compare DIR DIR.' });
      }
      const [{ compare, exitCodeOfComparison, renderComparison }, { readReport }, { rejudge }] = await Promise.all([import('../drill/compare.ts'), import('../drill/stored.ts'), import('../drill/rejudge.ts')]);
      if (second === undefined) {
        const { report, before } = await rejudge(first);
        if (before !== undefined) session.here.stderr.write(`This is not the judgement that was there, which is kept as ${before.file}. What differs:\n${before.changes.map((line) => `  ${line}\n`).join('')}`);
        session.answer(json, report, () => `${renderTable(report)}\n${pageOf(first)}`);
        // As the drill ended; nobody interrupted this command.
        session.exitCode = exitCodeOf(report);
        return;
      }
      const comparison = compare(await readReport(first), await readReport(second));
      session.answer(json, comparison, () => renderComparison(comparison));
      session.exitCode = exitCodeOfComparison(comparison);
    });
}
