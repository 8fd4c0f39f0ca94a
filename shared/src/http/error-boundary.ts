/** Owns the answer to a failed request: the standard JSON error, or a page for people; never a stack. */
import type { Context, Middleware } from 'koa';
import { reasonOf } from '../documents/remote-document.ts';
import { HttpError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RequestState } from './request-log.ts';

export interface ErrorBoundaryOptions {
  /** Renders the page for a person; absent: every error is JSON. */
  readonly page?: (ctx: Context, error: HttpError) => string;
}

/** The outermost middleware after the request log: converts every thrown error, and a missing route, into an answer. */
export function errorBoundary({ page }: ErrorBoundaryOptions = {}): Middleware<RequestState> {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined && ctx.respond !== false) throw notFound();
    } catch (thrown) {
      const error = reported(thrown, ctx.state.log);
      if (ctx.headerSent) {
        ctx.res.destroy();
        return;
      }
      ctx.status = error.status;
      ctx.set({ ...error.headers, 'Cache-Control': 'no-store' });
      if (page && ctx.accepts('json', 'html') === 'html') {
        ctx.type = 'html';
        ctx.body = page(ctx, error);
      } else {
        ctx.body = { error: error.code, error_description: error.message };
      }
    }
  };
}

/** Logs the details of a thrown error and returns its answer. @param known members of the request for the log */
export function reported(thrown: unknown, log: Logger, known: object = {}): HttpError {
  const error = toHttpError(thrown);
  const line = { error: error.code, reason: error.reason, status: error.status, ...error.facts, ...known };
  if (error.status === OUTAGE) log.error({ ...line, ...causeOf(error) }, 'request failed');
  else if (error.status >= 500) log.error({ ...line, err: thrown }, 'request failed');
  else log.info(line, 'request refused');
  return error;
}

/** A dependency is away, which is foreseen: a stack says nothing, and strangers could fill the log with it (CWE-779). */
const OUTAGE = 503;
const LONGEST_CAUSE = 300;

/** What `reason` does not say already. */
function causeOf({ reason, cause }: HttpError): { readonly cause?: string } {
  const text = cause === undefined ? '' : reasonOf(cause).replace(`${reason}: `, '');
  return reason.endsWith(text) ? {} : { cause: text.slice(0, LONGEST_CAUSE) };
}

const notFound = (): HttpError => new HttpError(404, 'not_found', 'There is nothing at this address.');

/** Errors of libraries with a 4xx status keep it (koa-body, http-errors); any other error becomes a 500 without details. */
function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown;
  const { status, message } = (thrown ?? {}) as { status?: unknown; message?: unknown };
  if (status === 413) return new HttpError(413, 'invalid_request', 'The request body is too large.', { cause: thrown });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new HttpError(status, 'invalid_request', 'The request could not be read.', {
      reason: String(message),
      cause: thrown,
    });
  }
  return new HttpError(500, 'server_error', 'Something went wrong on our side. Please try again.', { cause: thrown });
}
