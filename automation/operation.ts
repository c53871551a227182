export type Operation = 'up' | 'preview' | 'refresh' | 'destroy';

/** The others go by the state alone. */
export function runsProgram(operation: string): boolean {
  return operation === 'up' || operation === 'preview';
}
