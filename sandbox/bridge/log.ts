/** Writes one line to standard output, in the shape of the official bridge's log in Kubernetes. */
export function log(level: 'INFO' | 'WARN' | 'ERROR', text: string): void {
  process.stdout.write(`${new Date().toISOString().replace('T', ' ').replace('Z', '')} ${level.padEnd(5)} [bridge] ${text}\n`);
}
