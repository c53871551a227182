import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { java } from './answer.ts';
import { SourceError } from './command.ts';
import { jars } from './maven.ts';
import type { Work } from './tool.ts';

/** The custom resources of Strimzi that the sandbox serves, by name, and the class that each is generated from. */
const strimzi: Record<string, string> = {
  'kafkas.kafka.strimzi.io': 'kafka.Kafka',
  'kafkanodepools.kafka.strimzi.io': 'nodepool.KafkaNodePool',
  'kafkabridges.kafka.strimzi.io': 'bridge.KafkaBridge',
  'kafkatopics.kafka.strimzi.io': 'topic.KafkaTopic',
  'kafkausers.kafka.strimzi.io': 'user.KafkaUser',
  'strimzipodsets.core.strimzi.io': 'podset.StrimziPodSet',
};

/** Generates Strimzi's CRDs from its published API classes, as its makers do, into crds.yaml. */
export async function generateStrimziCrds(work: Work): Promise<void> {
  const libs = join(work.scratch, 'libs');
  await jars('strimzi-crds', libs, work);
  const out = join(work.scratch, 'crds');
  await mkdir(out);
  const classes = Object.entries(strimzi).map(([name, type]) => `io.strimzi.api.kafka.model.${type}=${join(out, `${name}.yaml`)}`);
  await java(libs, [
    'io.strimzi.crdgenerator.CrdGenerator', '--target-kube', '1.30+', '--crd-api-version', 'v1', '--yaml', ...classes,
  ], work);
  await joinCrds(out, join(work.home, 'crds.yaml'));
}

/** One multi-document file of all YAML files in `directory`. */
export async function joinCrds(directory: string, file: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  await writeFile(file, texts.map((text) => `---\n${text.replace(/^---\n/, '')}`).join(''));
}

/** CRDs have no version to ask for; what can be asked is whether all are there. */
export async function checkStrimziCrds(home: string): Promise<void> {
  const documents = parseAllDocuments(await readFile(join(home, 'crds.yaml'), 'utf8'));
  const names = new Set(documents.map((document) => document.getIn(['metadata', 'name'])));
  const missing = Object.keys(strimzi).filter((name) => !names.has(name));
  if (missing.length > 0) throw new SourceError(`crds.yaml lacks ${missing.join(', ')}`);
}
