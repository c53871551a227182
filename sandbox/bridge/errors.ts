import { messageOf } from '../../errors.ts';

/**
 * An answer other than success, as the Bridge writes it: `{"error_code":…,"message":…,"validation_errors":[…]}`.
 * `message` is Kafka's or the Bridge's own text, since clients and tests read it.
 */
export class HttpError extends Error {
  readonly status: number;
  readonly validationErrors: readonly string[] | undefined;

  constructor(status: number, message: string, validationErrors?: readonly string[]) {
    super(message);
    this.status = status;
    this.validationErrors = validationErrors;
  }

  /** The body of the answer; the key order is the Bridge's. */
  toJSON(): Record<string, unknown> {
    const body: Record<string, unknown> = { error_code: this.status, message: this.message };
    if (this.validationErrors !== undefined) body['validation_errors'] = this.validationErrors;
    return body;
  }
}

/** Any failure as an answer: what is not an `HttpError` is a 500 with the failure's text. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  return new HttpError(500, messageOf(error));
}
