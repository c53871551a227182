import { z } from 'zod';

import { rules } from '../checks.ts';
import { configurationSchema } from '../schema.ts';
import type { Schema } from '../schema-walk.ts';
import { type OperatorRelease, operatorReleases, runsOwnKafka } from '../versions.ts';
import { type Field, fieldsOf } from './fields.ts';

/** The reference of the configuration, as Markdown. */
export function referencePage(): string {
  const concerns = Object.entries(configurationSchema.shape).map(([key, schema]) => ({ key, schema: schema as Schema, fields: fieldsOf(key, schema as Schema) }));
  const single = concerns.filter(({ fields }) => fields.length === 1);
  const several = concerns.filter(({ fields }) => fields.length > 1);
  return `${[
    introduction,
    section('Common', '', single.flatMap(({ fields }) => fields)),
    ...several.map(({ key, schema, fields }) => section(`\`${key}\``, z.globalRegistry.get(schema)?.description ?? '', fields.filter((field) => field.key !== key))),
    ruleSections(),
    releases(),
  ].join('\n\n')}\n`;
}

const introduction = `# Configuration

<!-- Written by \`npm run docs:config\` from config/schema.ts and config/checks.ts: change those. -->

Settings stand in \`Pulumi.<stack>.yaml\` under \`config:\`, each concern under its key with \`kafka-bridge-failover:\` before it:
\`\`\`yaml
# yaml-language-server: $schema=docs/configuration.schema.json
config:
  kafka-bridge-failover:hostname: kafka-bridge.example
  kafka-bridge-failover:kafka:
    context: kafka
    domain: kafka.example
\`\`\`
With the first line, whose path is relative to the file, editors complete and check keys as they are written; [Pulumi.dev.yaml](../Pulumi.dev.yaml) is a whole example.

All mistakes are reported at once, each with its path, what was found, what is allowed, and the name that was probably meant, before any cluster is contacted.
\`kbf\` then exits with 2. Plain \`pulumi up\` prints the same without a stack trace; its exit code is Pulumi's own for a program that failed (1).
The file is data: tags are refused, aliases are bounded, and \`<<\` merges a map, as it does for Pulumi. A key without \`kafka-bridge-failover:\` is the same as one with it, and a setting is there once. Paths are relative to the program's directory. What has no default and is not required is absent unless it is set.

A key that the file leaves out is taken from \`config:\` of \`Pulumi.yaml\`, whole, as Pulumi does it: there text, numbers, true, false and lists stand as they are, and a map below \`value:\` or \`default:\`. Settings that a file has from Pulumi ESC (\`environment:\`) reach the program, by \`pulumi\` and by \`kbf\`, but only Pulumi can open them: \`kbf up\` asks clusters by the settings of the file before, \`doctor\` goes by them, and both say so; \`render\` refuses such a file. What is required has to stand in the file.`;

function section(title: string, about: string, fields: readonly Field[]): string {
  const rows = fields.map(({ key, allowed, default: value, required, meaning }) => {
    const otherwise = required ? '**required**' : value === undefined ? '' : `\`${cell(value)}\``;
    return `| \`${key}\` | ${cell(allowed.replace(/^text: /, ''))} | ${otherwise} | ${cell(meaning)} |`;
  });
  const table = ['| key | allowed | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
  return [`## ${title}`, about, table].filter((part) => part !== '').join('\n\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}

function ruleSections(): string {
  return ['## Rules between values', ...Object.entries(rules).map(([subject, texts]) => [`### ${subject}`, '', ...texts.map((text) => `- ${text}`)].join('\n'))].join('\n\n');
}

function releases(): string {
  const rows = operatorReleases.toReversed().map((release) => `| ${release.operator} | ${release.bridge} | ${release.kafka.join(', ')} | ${release.api.join(', ')}${noteOf(release)} |`);
  return ['## What each operator serves', '', 'Releases of Strimzi. The last version of Kafka is the operator’s own default.', '', '| operator | bridge | Kafka | API |', '|---|---|---|---|', ...rows].join('\n');
}

function noteOf(release: OperatorRelease): string {
  if (release.zookeeper) return ' (ZooKeeper)';
  return runsOwnKafka(release) ? '' : ' (not supported)';
}
