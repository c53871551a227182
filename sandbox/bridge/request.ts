import { HttpError } from './errors.ts';
import { parseJson } from './json.ts';
import { operations, type Operation } from './operations.ts';
import { validate } from './schema.ts';

/** Where a request leads: an operation with its path parameters, or the methods that the path has instead. */
export type Route = { operation: Operation; path: Record<string, string> } | { allow: string[] } | undefined;

/** Finds the operation for a method and a path without its query; one trailing slash is accepted, as by the Bridge. */
export function route(method: string, path: string): Route {
  const segments = split(path);
  const matches = operations
    .map((operation) => ({ operation, path: match(split(operation.path), segments) }))
    .filter((each): each is { operation: Operation; path: Record<string, string> } => each.path !== undefined);
  const found = matches.find(({ operation }) => operation.method === method);
  if (found !== undefined) return found;
  return matches.length === 0 ? undefined : { allow: matches.map(({ operation }) => operation.method) };
}

const split = (path: string): string[] => path.replace(/\/$/, '').split('/').slice(1);

function match(template: string[], segments: string[]): Record<string, string> | undefined {
  if (template.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of template.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith('{')) {
      if (segment === '') return undefined;
      parameters[part.slice(1, -1)] = decode(segment);
    } else if (part !== segment) return undefined;
  }
  return parameters;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * The parsed body of a request that its operation's schema accepts; `undefined` when there is none.
 * @throws HttpError 400 as the Bridge words it. This comes before any look at the state (an unknown consumer is found out later).
 */
export function checkRequest(operation: Operation, request: { path: Record<string, string>; query: URLSearchParams; contentType: string | undefined; body: Buffer }): unknown {
  checkParameters(operation, request.path, request.query);
  const { body } = operation;
  if (body === undefined) return undefined;
  if (request.body.length === 0) {
    if (body.required) throw invalid('The related request does not contain the required body.');
    return undefined;
  }
  if (request.contentType === undefined || !body.types.includes(request.contentType)) {
    throw invalid('The format of the request body is not supported');
  }
  const value = decodeBody(request.body, body.holdsRecords);
  rejectSchemaErrors(validate(value, body.schema));
  return value;
}

function checkParameters(operation: Operation, path: Record<string, string>, query: URLSearchParams): void {
  if (path['partitionid'] !== undefined) {
    // The document gives a minimum for reads only: a send to partition -1 gets as far as the producer.
    rejectSchemaErrors(validate(parameter(path['partitionid']), { type: 'integer', ...(operation.method === 'GET' ? { minimum: 0 } : {}) }));
  }
  for (const [name, type] of Object.entries(operation.query ?? {})) {
    const text = query.get(name);
    if (text !== null) rejectSchemaErrors(validate(parameter(text), { type }));
  }
}

// Offsets, partitions and settings are numbers, also where they are written as 5.0; a record's value keeps its digits.
function decodeBody(body: Buffer, holdsRecords: boolean): unknown {
  try {
    return holdsRecords ? parseJson(body.toString('utf8')) : JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    throw invalid("The request body can't be decoded");
  }
}

// A parameter is read as JSON where it is JSON, else as a string, like Vert.x does.
function parameter(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function rejectSchemaErrors(errors: string[]): void {
  if (errors.length > 0) throw new HttpError(400, 'Validation error on: Schema validation error', errors);
}

const invalid = (message: string): HttpError => new HttpError(400, `Validation error on: ${message}`);
