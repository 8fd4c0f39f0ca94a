/** Owns the error page for people; `errorBoundary({ page })` answers programs with JSON. */
import type { HttpError } from '@mcp-oauth/shared/errors';
import { pageHeaders } from '@mcp-oauth/shared/http/security-headers';
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import type { Context } from 'koa';
import { stateOf } from '../context-state.ts';
import { errorPage } from '../views/error.ts';

const headers = pageHeaders(stylesheet);

export function renderErrorPage(ctx: Context, error: HttpError): string {
  ctx.set(headers);
  const { requestId } = stateOf(ctx);
  return errorPage({ ...titleOf(error.status), message: error.message, reference: requestId });
}

const AGAIN = 'Go back to your app and connect again.';

function titleOf(status: number): { readonly title: string; readonly next?: string } {
  if (status === 404) return { title: 'Nothing here' };
  if (status === 429) return { title: 'Too many requests', next: 'Wait a moment, then try again.' };
  if (status >= 500)
    return { title: 'Something went wrong', next: 'Try again in a moment. Your app has not received an answer yet.' };
  return { title: 'This did not work', next: AGAIN };
}
