import { spawn } from 'node:child_process';

/**
 * Runs a script with `sh -e` and resolves to what it printed.
 * @throws Error with what it wrote to standard error when it fails or takes more than ten seconds.
 */
export function shell(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-e'], { stdio: ['pipe', 'pipe', 'pipe'], timeout: 10_000 });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { errors += text; });
    child.on('error', reject).on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(errors.trim() || `shell ended with ${signal ?? `code ${code}`}`));
    });
    child.stdin.on('error', () => undefined).end(script);
  });
}
