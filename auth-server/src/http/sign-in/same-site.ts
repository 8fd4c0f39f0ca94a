/** Owns the refusal of form posts that another site sent (Fetch Metadata; RFC 6454 §7), ahead of the form's own token. */
import type { Context } from 'koa';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';

/**
 * Browsers send `Origin: null` from a page with `Referrer-Policy: no-referrer`, including ours, so `null` is not refused.
 * @throws PageError 403 if the browser says that the form comes from another site
 */
export function refuseOtherSites(ctx: Context, issuer: string): void {
  const site = ctx.get('Sec-Fetch-Site');
  const origin = ctx.get('Origin');
  const foreign =
    site !== '' ? site !== 'same-origin' : origin !== '' && origin !== 'null' && origin !== new URL(issuer).origin;
  if (!foreign) return;
  throw new PageError(403, 'invalid_request', said('otherSite'), {
    reason: `form post from ${origin || 'an unnamed origin'}, Sec-Fetch-Site ${site || 'absent'}`,
  });
}
