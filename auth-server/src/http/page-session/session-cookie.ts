/**
 * Owns the cookie of a session on the pages. It is `SameSite=Lax`: a browser that comes back from the upstream would not send a
 * strict one, and would be sent there again. Forms are protected by a token of their own.
 */
import type { Context } from 'koa';
import { sessionCookieName } from '../../logout/cookie-name.ts';

export interface SessionCookie {
  read(ctx: Context): string | undefined;
  set(ctx: Context, id: string): void;
  clear(ctx: Context): void;
}

export function createSessionCookie(issuer: string): SessionCookie {
  const secure = issuer.startsWith('https:');
  const name = sessionCookieName('as_page', issuer);
  const write = (ctx: Context, value: string | null) => {
    // The public URL decides, not the protocol of the last hop.
    ctx.cookies.secure = secure;
    ctx.cookies.set(name, value, {
      httpOnly: true,
      sameSite: 'lax',
      path: '/',
      secure,
      signed: false,
      overwrite: true,
    });
  };
  return {
    read: (ctx) => ctx.cookies.get(name, { signed: false }),
    set: (ctx, id) => write(ctx, id),
    clear: (ctx) => write(ctx, null),
  };
}
