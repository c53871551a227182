import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Environment } from '../../automation/environment.ts';
import type { EnvironmentOptions } from '../../automation/options.ts';

/** A directory with a program of two files and a Pulumi CLI that does what the test wants. */
export class EnvironmentFixture implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(): Promise<EnvironmentFixture> {
    return new EnvironmentFixture(await mkdtemp(join(tmpdir(), 'kbf-unit-')));
  }

  at(...path: string[]): string {
    return join(this.directory, ...path);
  }

  /** A CLI; `onVersion` is run where it is asked for its version. */
  async pulumi(script: string, onVersion = ':'): Promise<string> {
    const bin = this.at('pulumi', 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'pulumi'), `#!/bin/sh\nif [ "$1" = version ]; then ${onVersion}; echo v3.259.0; exit 0; fi\n${script}\n`);
    await chmod(join(bin, 'pulumi'), 0o755);
    return bin;
  }

  async open(script: string, { onVersion, ...more }: Partial<EnvironmentOptions> & { onVersion?: string } = {}): Promise<Environment> {
    return await Environment.open({ ...await this.options(script, onVersion), ...more });
  }

  async options(script: string, onVersion?: string): Promise<EnvironmentOptions> {
    await this.program();
    return { program: this.at('program'), stack: 'dev', stateDir: this.at('state'), passphraseFile: this.at('passphrase'), ownBackend: true, pulumiBin: await this.pulumi(script, onVersion) };
  }

  async program(settings = 'config: {}\n'): Promise<void> {
    await mkdir(this.at('program'), { recursive: true });
    await writeFile(this.at('program', 'Pulumi.yaml'), 'name: tiny\nruntime: nodejs\n');
    await writeFile(this.at('program', 'Pulumi.dev.yaml'), settings);
  }

  /** The state of the stack `dev`, so that it is there. */
  async state(latest: object): Promise<string> {
    const file = this.at('state', 'state', '.pulumi', 'stacks', 'tiny', 'dev.json');
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, JSON.stringify({ version: 3, checkpoint: { latest } }));
    return file;
  }

  /** What a script has written. */
  async written(file: string): Promise<string> {
    return await readFile(this.at(file), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
