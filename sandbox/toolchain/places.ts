/** The words that publishers have for this machine's processor. */
export const arch = {
  x64: { go: 'amd64', pulumi: 'x64', envoy: 'x86_64', temurin: 'x64' },
  arm64: { go: 'arm64', pulumi: 'arm64', envoy: 'aarch_64', temurin: 'aarch64' },
}[process.arch === 'arm64' ? 'arm64' : 'x64'];

/** Keeps an archive's files `names` of its one top directory, in bin/. */
export function executables(...names: readonly string[]): (entry: string) => string | undefined {
  return (entry) => {
    const name = withoutTop(entry);
    return names.includes(name) ? `bin/${name}` : undefined;
  };
}

/** Keeps everything below an archive's top directory that lies under `directory` ('' for all). */
export function below(directory: string): (entry: string) => string | undefined {
  return (entry) => {
    const name = withoutTop(entry);
    return name !== '' && name.startsWith(directory) ? name : undefined;
  };
}

function withoutTop(entry: string): string {
  return entry.replace(/^(?:\.\/)?[^/]*\/?/, '');
}
