import type { Report } from './report.ts';

type Stack = Pick<Report, 'configuration' | 'parts'>;

/**
 * In what the stack of a later drill differs from that of an earlier one, one phrase each: settings as the clusters had them, and versions. What one of the two could not read, as its cluster
 * did not answer or its credentials may not, says nothing.
 */
export function stackDifferences(earlier: Stack, later: Stack): string[] {
  return [
    ...inBoth(known(earlier.configuration), known(later.configuration)).flatMap(([object, before, after]) => settings(before, after).map((setting) => `${object}: ${setting}`)),
    ...inBoth(earlier.parts, later.parts).filter(([, before, after]) => before.version !== after.version || before.kind !== after.kind)
      .map(([part, before, after]) => `${part}: ${before.version} (${before.kind}), then ${after.version} (${after.kind})`),
  ];
}

function known(configuration: Stack['configuration'] = {}): NonNullable<Stack['configuration']> {
  return Object.fromEntries(Object.entries(configuration).filter(([, settings]) => !('unreadable' in settings)));
}

/** What both have. */
function inBoth<V>(earlier: Record<string, V>, later: Record<string, V>): [string, V, V][] {
  return Object.entries(earlier).flatMap(([name, before]): [string, V, V][] => {
    const after = later[name];
    return after === undefined ? [] : [[name, before, after]];
  });
}

/** One that is absent is Kafka's or Envoy's own. */
function settings(earlier: Record<string, unknown>, later: Record<string, unknown>): string[] {
  return Object.keys({ ...earlier, ...later }).filter((name) => earlier[name] !== later[name]).map((name) => `${name} ${text(earlier[name])}, then ${text(later[name])}`);
}

function text(value: unknown): string {
  return value === undefined ? 'not set' : String(value);
}
