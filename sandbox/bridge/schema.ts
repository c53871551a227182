/** The part of JSON Schema that the Bridge's OpenAPI document uses for requests. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
}

/**
 * What is wrong with `value`, as a list of texts; empty when it is valid. The texts and their order are those of
 * the Bridge's own validator (Vert.x), as they are its `validation_errors`.
 */
export function validate(value: unknown, schema: Schema): string[] {
  return [
    ...typeErrors(value, schema),
    ...oneOfErrors(value, schema),
    ...objectErrors(value, schema),
    ...arrayErrors(value, schema),
    ...minimumErrors(value, schema),
  ];
}

function typeErrors(value: unknown, schema: Schema): string[] {
  if (schema.type === undefined) return [];
  const expected = typeof schema.type === 'string' ? [schema.type] : schema.type;
  const actual = typeOf(value);
  const fits = expected.some((type) => type === actual || (type === 'integer' && isInteger(value)));
  return fits ? [] : [`Instance type ${actual} is invalid. Expected ${expected.join(', ')}`];
}

function oneOfErrors(value: unknown, schema: Schema): string[] {
  if (schema.oneOf === undefined) return [];
  const errors = schema.oneOf.map((each) => validate(value, each));
  const matches = errors.filter((each) => each.length === 0).length;
  return matches === 1 ? [] : [`Instance does not match exactly one subschema (${String(matches)} matches)`, ...errors.flat()];
}

function objectErrors(value: unknown, schema: Schema): string[] {
  if (typeOf(value) !== 'object') return [];
  const object = value as Record<string, unknown>;
  let errors = (schema.required ?? [])
    .filter((key) => !Object.hasOwn(object, key))
    .map((key) => `Instance does not have required property "${key}"`);
  const valid = new Set<string>();
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    if (!Object.hasOwn(object, key)) continue;
    const childErrors = validate(object[key], child);
    if (childErrors.length === 0) valid.add(key);
    else errors = [...errors, `Property "${key}" does not match schema`, ...childErrors];
  }
  if (schema.additionalProperties === false) {
    // A known property with a wrong value is reported here once more: the original does so too.
    for (const key of Object.keys(object)) if (!valid.has(key)) errors.push(`Property "${key}" does not match additional properties schema`);
  }
  return errors;
}

function arrayErrors(value: unknown, schema: Schema): string[] {
  const { items } = schema;
  if (items === undefined || !Array.isArray(value)) return [];
  return value.flatMap((item) => {
    const errors = validate(item, items);
    return errors.length === 0 ? [] : ['Items did not match schema', ...errors];
  });
}

function minimumErrors(value: unknown, schema: Schema): string[] {
  if (schema.minimum === undefined || typeof value !== 'number' || value >= schema.minimum) return [];
  return [`${String(value)} is less than ${String(schema.minimum)}`];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return isNumber(value) ? 'number' : typeof value;
}

// A number that a double cannot hold is carried as raw JSON, see json.ts.
const isNumber = (value: unknown): boolean => typeof value === 'number' || JSON.isRawJSON(value);

function isInteger(value: unknown): boolean {
  return isNumber(value) && Number.isInteger(Number(JSON.stringify(value)));
}
