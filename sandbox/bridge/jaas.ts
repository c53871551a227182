import type { SASLOptions } from '@platformatic/kafka';
import { UserError } from '../../errors.ts';

const module = 'org.apache.kafka.common.security.scram.ScramLoginModule';
const mechanism = 'SCRAM-SHA-512';

/**
 * Who the bridge is to Kafka, from `sasl.mechanism` and `sasl.jaas.config` (`<module> required username="…" password="…";`).
 * @throws UserError for another mechanism or module, and where user or password are not said. It never says what the line holds
 */
export function saslOptions(wanted: string, jaas: string): SASLOptions {
  if (wanted !== mechanism) {
    throw new UserError(`kafka.sasl.mechanism is ${wanted === '' ? 'not set' : wanted}; the reference bridge knows ${mechanism}`, { exitCode: 2, remedy: 'run the official bridge for others' });
  }
  const [, name, options] = /^\s*([\w.]+)\s+required\s(.*);\s*$/s.exec(jaas) ?? [];
  if (name !== module) throw new UserError(`kafka.sasl.jaas.config is no line "${module} required ...;"`, { exitCode: 2 });
  const values = new Map([...(options ?? '').matchAll(/(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))/gs)].map(([, key = '', quoted, bare]) => [key, quoted?.replace(/\\(.)/gs, '$1') ?? bare ?? '']));
  const [username, password] = [values.get('username'), values.get('password')];
  if (username === undefined || password === undefined) throw new UserError('kafka.sasl.jaas.config says no username or no password', { exitCode: 2 });
  return { mechanism, username, password };
}
