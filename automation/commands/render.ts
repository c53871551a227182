import { resolve } from 'node:path';
import type { Command } from 'commander';
import { writeFolder } from '../render/folder.ts';
import type { Rendering } from '../render/index.ts';
import type { Placeholder } from '../render/placeholders.ts';
import type { Session } from '../session.ts';
import { settingsOf } from './target.ts';
import type { TargetFlags } from './target.ts';

type Flags = Pick<TargetFlags, 'stack' | 'config'> & { out: string; json?: boolean };

/** `kbf render`. */
export function addRender(program: Command, session: Session): void {
  program.command('render').description('writes every object as YAML, without contacting a cluster')
    .option('--stack <name>', 'a stack whose settings are in Pulumi.<name>.yaml (default: dev)')
    .option('--config <file>', 'a Pulumi.<stack>.yaml anywhere')
    .requiredOption('--out <dir>', 'where to; replaced if it was made by this command')
    .option('--json', 'what was written as a JSON document')
    .action(async ({ out, json = false, ...flags }: Flags) => {
      const folder = resolve(out);
      const environment = settingsOf(session, flags);
      const { files, others } = await session.work({ operation: 'render', environment }, { signal: session.signal }) as Rendering;
      session.signal.throwIfAborted();
      await writeFolder(folder, new Map(files.map(({ path, text }) => [path, text])));
      const placeholders = files.flatMap((file) => file.placeholders);
      session.answer(json, { stack: environment.stack, out: folder, files: files.map(({ path }) => path), placeholders, others }, () => [
        `${String(files.length)} objects of stack ${environment.stack} are in ${folder}`,
        ...(others.length === 0 ? [] : ['What `up` does besides, which is no object:', ...others.map((other) => `  ${other}`)]),
        ...(placeholders.length === 0 ? [] : ['Placeholders, for what is known after `up` or kept out of files:', ...listed(placeholders)]),
      ].join('\n'));
    });
}

/** Each with the places that it is in. */
function listed(placeholders: readonly Placeholder[]): string[] {
  return [...Map.groupBy(placeholders, ({ what }) => what)].flatMap(([what, alike]) => [
    `  <${what}>`,
    ...[...Map.groupBy(alike, ({ file }) => file)].map(([file, places]) => `    ${file}: ${places.map(({ path }) => path).join(', ')}`),
  ]);
}
