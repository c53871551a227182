import type { Command } from 'commander';
import { showTools } from '../live.ts';
import type { Session } from '../session.ts';

/** `kbf toolchain [install|list]`. */
export function addToolchain(program: Command, session: Session): void {
  const toolchain = program.command('toolchain').description('what the sandbox runs on, and where it came from');
  toolchain.command('list', { isDefault: true })
    .description('every tool with its version, source, size and place')
    .option('--json', 'as a JSON document')
    .action(async ({ json = false }: { json?: boolean }) => { await list(session, json); });
  toolchain.command('install')
    .description('fetches or builds what is not there yet')
    .option('--json', 'the list as a JSON document, progress on standard error')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { ensureTools } = await session.here.modules();
      await ensureTools(undefined, { signal: session.signal, onEvent: showTools(session.progress(json)) });
      await list(session, json);
    });
}

async function list(session: Session, json: boolean): Promise<void> {
  const { listTools } = await session.here.modules();
  const tools = await listTools();
  session.answer(json, tools, () => tools.map((tool) => {
    const head = `${tool.name.padEnd(23)} ${tool.version.padEnd(17)} ${(tool.kind ?? '').padEnd(9)}`;
    if (!('missing' in tool)) return `${head} ${tool.source.padEnd(9)} ${megabytes(tool.sizeBytes).padStart(7)}  ${tool.home}`;
    return `${head} ${tool.kind === undefined ? 'not there yet' : 'a stand-in: the official one is not there'}`;
  }).join('\n'));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
