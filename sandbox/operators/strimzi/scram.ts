import { pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { alterUserScramCredentialsV0, describeUserScramCredentialsV0, ScramMechanisms } from '@platformatic/kafka';
import { askKafka, type Bootstrap } from './kafka-connection.ts';

const mechanism = ScramMechanisms.SCRAM_SHA_512;
/** As the real operator and Kafka itself have it. */
const iterations = 4096;
/** One for as long as the operator runs, so that writing a password once more changes nothing. */
const ownSalt = randomBytes(26);
const clientId = 'strimzi-user-operator';

/** Kafka's own form of a password, from which nobody has it back. */
export async function saltedPassword(password: string, salt: Buffer): Promise<Buffer> {
  return await promisify(pbkdf2)(password, salt, iterations, 64, 'sha512');
}

/** Lets a user in by a password, or with `undefined` not any more. */
export async function setPassword(bootstrap: Bootstrap, name: string, password: string | undefined): Promise<void> {
  const upserted = password === undefined ? [] : [{ name, mechanism, iterations, salt: ownSalt, saltedPassword: await saltedPassword(password, ownSalt) }];
  await askKafka(bootstrap, clientId, async (connection) => {
    // Kafka refuses to delete what is not there.
    const deleted = password !== undefined || !(await usersOf(connection)).includes(name) ? [] : [{ name, mechanism }];
    if (upserted.length + deleted.length > 0) await alterUserScramCredentialsV0.api.async(connection, deleted, upserted);
  });
}

/** Takes all passwords back that are nobody's any more. @param wanted asked after Kafka was, so that none that comes meanwhile is missed */
export async function removeStrangers(bootstrap: Bootstrap, wanted: () => ReadonlySet<string>): Promise<void> {
  await askKafka(bootstrap, clientId, async (connection) => {
    const users = await usersOf(connection);
    const keep = wanted();
    const strangers = users.filter((name) => !keep.has(name)).map((name) => ({ name, mechanism }));
    if (strangers.length > 0) await alterUserScramCredentialsV0.api.async(connection, strangers, []);
  });
}

async function usersOf(connection: Parameters<typeof describeUserScramCredentialsV0.api.async>[0]): Promise<string[]> {
  const { results } = await describeUserScramCredentialsV0.api.async(connection, null);
  return results.filter(({ credentialInfos }) => credentialInfos.some((each) => each.mechanism === mechanism)).map(({ user }) => user);
}
