/** Owns how a page of the operator is sent: with the headers of its stylesheet, and kept by nobody. */
import type { Context } from 'koa';
import type { AdminPages } from '../../views/admin/pages.ts';

export function show(ctx: Context, { headers }: AdminPages, body: string, status = 200): void {
  ctx.set({ ...headers });
  ctx.status = status;
  ctx.type = 'html';
  ctx.body = body;
}
