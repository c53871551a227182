import { apiVersionsV4, Connection, FeatureUpgradeTypes, updateFeaturesV1 } from '@platformatic/kafka';
import { levelOf, nameOfLevel } from './kafka-version.ts';
import type { Condition } from './model.ts';
import { warning } from './status.ts';

/** The one feature of Kafka that is the version of its metadata. */
const feature = 'metadata.version';
/** What one question to Kafka may take, ms. */
const patience = { connectTimeout: 5000, requestTimeout: 10_000 };

/**
 * Raises Kafka's metadata version, or lowers it where Kafka finds that safe, to the one that is wanted. Where Kafka refuses, that is a warning and
 * no failure, as in the real operator.
 * @param bootstrap host and port of the brokers' plain listener
 * @returns the version that Kafka has then
 */
export async function settleMetadata(bootstrap: { host: string; port: number }, wanted: string): Promise<{ version: string; warnings: Condition[] }> {
  const connection = new Connection('strimzi-metadata', patience);
  try {
    await connection.connect(bootstrap.host, bootstrap.port);
    const level = await currentLevel(connection);
    const wantedLevel = levelOf(wanted);
    if (wantedLevel === level) return { version: nameOfLevel(level), warnings: [] };
    const refused = wantedLevel === undefined ? true : await update(connection, wantedLevel, level);
    if (!refused) return { version: wanted, warnings: [] };
    return { version: nameOfLevel(await currentLevel(connection)), warnings: [warning('MetadataUpdateFailed', `Failed to update metadata version to ${wanted}`)] };
  } finally {
    await connection.close();
  }
}

async function currentLevel(connection: Connection): Promise<number> {
  const { finalizedFeatures = [] } = await apiVersionsV4.api.async(connection, 'kafka-bridge-failover', '1');
  const found = finalizedFeatures.find(({ name }) => name === feature);
  if (found === undefined) throw new Error('Kafka does not say its metadata version');
  return found.maxVersionLevel;
}

async function update(connection: Connection, wanted: number, current: number): Promise<boolean> {
  const upgradeType = wanted > current ? FeatureUpgradeTypes.UPGRADE : FeatureUpgradeTypes.SAFE_DOWNGRADE;
  return await updateFeaturesV1.api.async(connection, patience.requestTimeout, [{ feature, maxVersionLevel: wanted, upgradeType }], false).then(() => false, () => true);
}
