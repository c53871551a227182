import type { V1Secret } from '@kubernetes/client-node';
import { UserError } from '../../errors.ts';
import { Cluster, statusOf } from './cluster.ts';
import type { ProgramOutputs } from './options.ts';

/** How a client of Kafka says who it is: by a certificate and its key (PEM), or by a password. */
export type Credentials = { tls: { cert: string; key: string } } | { sasl: { mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string } };

type Asked = Pick<ProgramOutputs, 'regions'> & { kafka: Pick<ProgramOutputs['kafka'], 'authentication'> };

/**
 * A drill is to Kafka who the bridges are: their Secret is read from the first region whose cluster answers, kept in memory, and written nowhere.
 * Undefined where they do not say who they are. Throws a UserError that names Secret and cluster; with exit code 2 where it is not there, or may not be read.
 */
export async function readCredentials({ kubeconfig, outputs }: { kubeconfig: string; outputs: Asked }): Promise<Credentials | undefined> {
  const { kafka: { authentication }, regions } = outputs;
  if (authentication === undefined) return undefined;
  const { name } = authentication.secret;
  const failures: unknown[] = [];
  for (const { context, namespace } of regions) {
    const cluster = new Cluster(kubeconfig, context);
    const what = `Secret ${namespace}/${name}, by which bridges say to Kafka who they are, cannot be read`;
    try {
      const secret = await cluster.ask(what, () => cluster.core.readNamespacedSecret({ name, namespace }));
      return credentialsIn(authentication, secret, `Secret ${namespace}/${name} in cluster ${context}`);
    } catch (error) {
      failures.push(refused(error));
    }
  }
  throw failures[0];
}

/** What another run would find as well is no reason for an inconclusive one. */
function refused(error: unknown): unknown {
  const status = statusOf(error);
  if (!(error instanceof UserError) || (status !== 403 && status !== 404)) return error;
  return new UserError(error.message, { exitCode: 2, remedy: status === 404 ? 'kbf doctor says what else is missing' : 'get the right to read it (get secrets): a drill reads the log as the bridges’ user', cause: error });
}

function credentialsIn(authentication: NonNullable<Asked['kafka']['authentication']>, { data = {} }: V1Secret, where: string): Credentials {
  const entry = (key: string): string => {
    const value = data[key];
    if (!value) throw new UserError(`${where} has no entry ${key}; it has: ${Object.keys(data).sort().join(', ') || 'none'}`, { exitCode: 2, remedy: 'bridge.authentication names its entries' });
    return Buffer.from(value, 'base64').toString('utf8');
  };
  if (authentication.type === 'tls') return { tls: { cert: entry(authentication.secret.certificate), key: entry(authentication.secret.key) } };
  return { sasl: { mechanism: authentication.type === 'scram-sha-256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512', username: authentication.username, password: entry(authentication.secret.key) } };
}
