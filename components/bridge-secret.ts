import type { BridgeConfiguration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import { type LiveObject, nameOf, plainError } from './cluster-reader.ts';
import { within } from './within.ts';

type Authentication = NonNullable<BridgeConfiguration['authentication']>;

/** What the Secret has to have with which bridges say to Kafka who they are. */
export function entriesFor(authentication: Authentication): string[] {
  return authentication.type === 'tls' ? [authentication.secret.certificate, authentication.secret.key] : [authentication.secret.key];
}

/**
 * Checks that the Secret is there with which a bridge says to Kafka who it is: without it the bridge would be waited for until its timeout. A
 * cluster that cannot be asked is left to the engine.
 * @throws pulumi.RunError that names Secret, cluster and what lacks
 */
export async function expectBridgeSecret({ name, reader }: Cluster, { namespace, authentication }: Pick<BridgeConfiguration, 'namespace' | 'authentication'>): Promise<void> {
  if (authentication === undefined) return;
  const reference = { apiVersion: 'v1', kind: 'Secret', namespace, name: authentication.secret.name };
  let found: LiveObject | undefined;
  try {
    found = await within(reader.read(reference));
  } catch {
    return;
  }
  const where = `bridge.authentication.secret: ${nameOf(reference)} in cluster ${name}`;
  if (found === undefined) throw plainError(`${where} is not there. Make it first, in every region: its namespace is not made by this program.`);
  const { data = {} } = found as { data?: Record<string, string> };
  const missing = entriesFor(authentication).filter((entry) => !data[entry]);
  if (missing.length > 0) throw plainError(`${where} has no entry ${missing.join(', ')}; it has: ${Object.keys(data).sort().join(', ') || 'none'}.`);
}
