import { apiVersionsV4, type Connection, FeatureUpgradeTypes, updateFeaturesV1 } from '@platformatic/kafka';
import { askKafka, type Bootstrap, patience } from './kafka-connection.ts';
import { levelOf, nameOfLevel } from './kafka-version.ts';
import type { Condition } from './model.ts';
import { warning } from './status.ts';

/** The one feature of Kafka that is the version of its metadata. */
const feature = 'metadata.version';

/**
 * Raises Kafka's metadata version, or lowers it where Kafka finds that safe, to the one that is wanted. Where Kafka refuses, that is a warning and
 * no failure, as in the real operator.
 * @returns the version that Kafka has then
 */
export async function settleMetadata(bootstrap: Bootstrap, wanted: string): Promise<{ version: string; warnings: Condition[] }> {
  return await askKafka(bootstrap, 'strimzi-metadata', async (connection) => {
    const level = await currentLevel(connection);
    const wantedLevel = levelOf(wanted);
    if (wantedLevel === level) return { version: nameOfLevel(level), warnings: [] };
    const refused = wantedLevel === undefined ? true : await update(connection, wantedLevel, level);
    if (!refused) return { version: wanted, warnings: [] };
    return { version: nameOfLevel(await currentLevel(connection)), warnings: [warning('MetadataUpdateFailed', `Failed to update metadata version to ${wanted}`)] };
  });
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
