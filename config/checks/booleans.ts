import type { Finding } from '../problems.ts';
import type { Path } from '../text.ts';

/** A boolean as Kafka reads it: in any case, with blanks around it. Source: ConfigDef.parseType. @returns undefined for what it would refuse */
export function booleanOf(value: unknown): boolean | undefined {
  const text = String(value).trim().toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** A leader that lacks records makes the others forget them, acknowledged ones too. */
export function uncleanElection(path: Path, settings: Readonly<Record<string, unknown>> | undefined): Finding[] {
  const key = 'unclean.leader.election.enable';
  return booleanOf(settings?.[key]) === true ? [{ path: [...path, key], allowed: 'false: with true acknowledged records are lost' }] : [];
}
