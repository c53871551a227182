declare global {
  interface JSON {
    /** A primitive that `stringify` writes as this text (ES2026; Node has it). */
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

/**
 * Parses JSON without losing digits: a number that a double would change (a 64-bit id, `1.0`) is kept as its text and
 * comes out of `JSON.stringify` as it went in. The Bridge re-writes JSON values with all their digits as well.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
  });
}
