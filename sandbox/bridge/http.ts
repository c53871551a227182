import type { IncomingMessage } from 'node:http';
import { type Answer, type Api, type Call, PlainServerError } from './api.ts';
import { HttpError, toHttpError } from './errors.ts';
import { log } from './log.ts';
import { mediaTypes } from './operations.ts';
import { route } from './request.ts';
import { Listener } from './server.ts';

/** Puts the API on a port: `api` serves all but the health operations, `management` only those (the other's paths answer 501). */
export function serve(api: Api, port: 'api' | 'management'): Listener {
  return new Listener(async (request, response) => {
    try {
      response.sendDate = false;
      const { status, type, body, headers } = await answer(api, port, request);
      response.statusCode = status;
      for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
      if (body !== undefined && type !== undefined) response.setHeader('content-type', type);
      if (status !== 204) response.setHeader('content-length', body?.length ?? 0);
      response.end(body);
    } catch (error) {
      // The client went away before its answer, or while it sent its request.
      if (!response.destroyed) log('WARN', `${request.method ?? ''} ${request.url ?? ''}: ${String(error)}`);
      response.destroy();
    }
  });
}

async function answer(api: Api, port: 'api' | 'management', request: IncomingMessage): Promise<Answer & { headers?: Record<string, string> }> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const found = route(request.method ?? '', path);
  const body = await readBody(request);
  if (found === undefined) return errorAnswer(new HttpError(404, 'Not Found'));
  if ('allow' in found) return { status: 405, headers: { allow: found.allow.join(', ') } };
  if ((found.operation.management === true) !== (port === 'management')) return { status: 501 };
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const authority = header(':authority') ?? header('host') ?? '';
  const call: Call = { operation: found.operation, parameters: found.path, query: new URLSearchParams(query), body, authority, path, header };
  try {
    return await api.answer(call);
  } catch (error) {
    if (error instanceof PlainServerError) return { status: 500, type: 'text/plain', body: Buffer.from('Internal Server Error') };
    return errorAnswer(toHttpError(error));
  }
}

const errorAnswer = (error: HttpError): Answer => ({ status: error.status, type: mediaTypes.kafka, body: Buffer.from(JSON.stringify(error)) });

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
