/** Owns the refusal of form posts that another site sent (Fetch Metadata; RFC 6454 §7), ahead of the form's own token. */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context } from 'koa';

/**
 * Browsers send `Origin: null` from a page with `Referrer-Policy: no-referrer`, including ours, so `null` is not refused.
 * @throws HttpError 403 if the browser says that the form comes from another site
 */
export function refuseOtherSites(ctx: Context, issuer: string): void {
  const site = ctx.get('Sec-Fetch-Site');
  const origin = ctx.get('Origin');
  const foreign =
    site !== '' ? site !== 'same-origin' : origin !== '' && origin !== 'null' && origin !== new URL(issuer).origin;
  if (!foreign) return;
  throw new HttpError(403, 'invalid_request', 'This form was sent from another site, so nothing was done.', {
    reason: `form post from ${origin || 'an unnamed origin'}, Sec-Fetch-Site ${site || 'absent'}`,
  });
}
