/** Owns the error for an invalid body, or one beyond a limit, in the form of JSON-RPC 2.0 §5.1. */

export type Id = string | number;

interface MessageErrorOptions {
  readonly status?: number;
  /** The id of the request, if it is known. */
  readonly id?: Id | undefined;
  readonly data?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An invalid body, answered as a JSON-RPC error; the id of the request is usually unknown. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly code: number;
  readonly status: number;
  readonly id: Id | undefined;
  readonly data: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, message: string, { status = 400, id, data, headers = {} }: MessageErrorOptions = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.id = id;
    this.data = data;
    this.headers = headers;
  }
}
