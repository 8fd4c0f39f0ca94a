/** Owns the redirect that ends a step: 303 without a referrer, so that neither form data nor the URL is passed on (RFC 9700 §4.12). */
import type { Context } from 'koa';

export function seeOther(ctx: Context, target: string): void {
  ctx.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
  ctx.redirect(target);
  ctx.status = 303;
}
