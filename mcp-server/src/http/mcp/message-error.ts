/** Owns the refusal of a body that is no message, or one beyond a limit, as JSON-RPC 2.0 §5.1 tells it. */

export type Id = string | number;

interface MessageErrorParts {
  readonly status?: number;
  /** Of the request, where it is known. */
  readonly id?: Id | undefined;
  readonly data?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bytes that are no message: answered as JSON-RPC does, for a request whose id is mostly unknown. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly code: number;
  readonly status: number;
  readonly id: Id | undefined;
  readonly data: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, message: string, { status = 400, id, data, headers = {} }: MessageErrorParts = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.id = id;
    this.data = data;
    this.headers = headers;
  }
}
