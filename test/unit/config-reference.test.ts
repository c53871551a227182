import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Ajv } from 'ajv';
import { parse } from 'yaml';

import { referenceFiles } from '../../config/reference.ts';
import { editorSchema } from '../../config/reference/editor-schema.ts';
import { fieldsOf } from '../../config/reference/fields.ts';
import { configurationSchema } from '../../config/schema.ts';
import type { Schema } from '../../config/schema-walk.ts';
import { seedConfiguration, validConfiguration } from './configuration-fixtures.ts';

const inRepository = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the reference of the configuration', () => {
  for (const [path, text] of Object.entries(referenceFiles())) {
    it(`is in ${path} what the schema gives (npm run docs:config writes it)`, () => {
      assert.equal(inRepository(path), text);
    });
  }

  it('says of every key what it means and what it takes', () => {
    const fields = Object.entries(configurationSchema.shape).flatMap(([key, schema]) => fieldsOf(key, schema as Schema));
    assert.ok(fields.length > 150, `${fields.length} keys`);
    for (const { key, meaning, allowed } of fields) {
      assert.match(meaning, /\.$/, `${key} has a description, which is a sentence`);
      assert.doesNotMatch(allowed, /Infinity|undefined|Invalid/, key);
    }
  });

  it('tells what goes with what', () => {
    const kafka = fieldsOf('kafka', configurationSchema.shape.kafka as Schema);
    const field = (key: string) => kafka.find((one) => one.key === key);
    assert.equal(field('kafka.certificate.issuer.name')?.meaning, 'With `source` issuer: Name of the issuer.');
    assert.deepEqual(
      [field('kafka.certificate.source')?.allowed, field('kafka.certificate.source')?.default, field('kafka.certificate.source')?.required],
      ['own-root, issuer, secret, self-signed', 'own-root', false],
    );
    assert.equal(field('kafka.brokers')?.allowed, 'a whole number from 3 to 99');
    assert.equal(field('kafka.domain')?.required, true);
  });
});

describe('the JSON Schema for editors', () => {
  const check = new Ajv({ strict: true, strictTypes: false, allErrors: true, formats: { ipv4: true, ipv6: true } }).compile(editorSchema());
  const problems = (settings: unknown): string[] => (check(settings) ? [] : (check.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`));
  const file = (raw: Record<string, unknown>) => ({ encryptionsalt: 'v1:x', config: Object.fromEntries(Object.entries(raw).map(([key, value]) => [`kafka-bridge-failover:${key}`, value])) });

  it('takes what the program takes', () => {
    assert.deepEqual(problems(parse(inRepository('Pulumi.dev.yaml'))), []);
    assert.deepEqual(problems(file(validConfiguration())), []);
    assert.deepEqual(problems(file(seedConfiguration())), []);
    const existing = { existing: { bootstrapServers: 'k:9094', caCertificate: { file: 'root.crt' } } };
    assert.deepEqual(problems({ config: { ...file({ ...validConfiguration(), kafka: existing }).config, 'gcp:project': 'other' } }), []);
  });

  it('refuses a wrong value, a key that does not exist, and a missing one', () => {
    assert.deepEqual(problems(file({ ...validConfiguration(), hostname: 'x' })), ['/config/kafka-bridge-failover:hostname pattern']);
    assert.deepEqual(problems(file({ ...validConfiguration(), regoins: [] })), ['/config additionalProperties']);
    assert.deepEqual(problems(file({ ...validConfiguration(), bridge: { prot: 1 } })), ['/config/kafka-bridge-failover:bridge additionalProperties']);
    assert.deepEqual(problems({ config: {} }).length, 5);
  });

  it('is what the sandbox’s settings say they follow', () => {
    assert.match(inRepository('Pulumi.dev.yaml'), /^# yaml-language-server: \$schema=docs\/configuration\.schema\.json\n/);
  });
});
