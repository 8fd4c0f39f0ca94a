/** Owns reading a whole body of a request that Koa serves, up to a limit (RFC 9110 §15.5.14). */
import type { Context } from 'koa';
import { HttpError } from '../../errors.ts';

/** The whole body, if it has at most `limit` bytes. @throws HttpError */
export async function readBounded({ req, request }: Context, limit: number): Promise<Buffer> {
  if ((request.length ?? 0) > limit) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of req.iterator({ destroyOnReturn: false })) {
      size += part.length;
      if (size > limit) throw tooLarge();
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    const reason = 'the connection ended before the body did';
    throw new HttpError(400, 'invalid_request', 'The request could not be read.', { reason, cause });
  }
  return Buffer.concat(parts);
}

/** The connection stays open: a client that is still sending would otherwise see a broken connection instead of the answer. */
export const tooLarge = (): HttpError => new HttpError(413, 'invalid_request', 'The request body is too large.');
