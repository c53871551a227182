import { z } from 'zod';

import { configurationSchema } from '../schema.ts';

/** What the keys of the project begin with. */
const prefix = 'kafka-bridge-failover:';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A JSON Schema of a whole `Pulumi.<stack>.yaml`, for editors. What only checks between values see, it does not see. */
export function editorSchema(): JsonSchema {
  const { properties = {}, required = [] } = z.toJSONSchema(configurationSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any', override: withoutEmptyDefaults });
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Stack settings of kafka-bridge-failover',
    description: 'Written by `npm run docs:config` from config/schema.ts: change that.',
    type: 'object',
    required: ['config'],
    properties: {
      config: {
        type: 'object',
        required: required.map((key) => `${prefix}${key}`),
        properties: Object.fromEntries(Object.entries(properties).map(([key, schema]) => [`${prefix}${key}`, schema])),
        // Settings of other packages are none of ours, but a key of ours that does not exist is a mistake.
        patternProperties: { [`^(?!${prefix})`]: {} },
        additionalProperties: false,
      },
    },
  };
}

/** An empty default is for the program, which fills in the defaults inside; a person who reads it learns nothing. */
function withoutEmptyDefaults({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (JSON.stringify(jsonSchema.default) === '{}') delete jsonSchema.default;
}
