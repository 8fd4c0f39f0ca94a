/**
 * Owns the cookie that binds a sign-in to the browser that started it (RFC 9700 §4.7.1). Its value is a signature over
 * `state`, so cookie and parameter are only valid together.
 */
import { createHash, createHmac } from 'node:crypto';
import { equalInConstantTime } from '@mcp-oauth/shared/crypto/constant-time';
import type { Context } from 'koa';
import { LOGIN_LIFETIME } from '../../federation/login.ts';

export interface LoginCookie {
  set(ctx: Context, state: string): void;
  verify(ctx: Context, state: string): boolean;
  clear(ctx: Context, state: string): void;
}

/**
 * One cookie for each sign-in, so that tabs do not overwrite each other's.
 * @param keys the first signs, all verify
 * @param secure whether our public URL is https
 */
export function createLoginCookie(keys: readonly string[], secure: boolean): LoginCookie {
  const nameOf = (state: string) => {
    const short = createHash('sha256').update(state).digest('base64url').slice(0, 12);
    return `${secure ? '__Host-' : ''}as_login_${short}`;
  };
  const sign = (key: string, state: string) => createHmac('sha256', key).update(`login ${state}`).digest('base64url');
  const write = (ctx: Context, state: string, value: string | null, maxAge: number) => {
    // The public URL decides, not the protocol of the last hop.
    ctx.cookies.secure = secure;
    const options = { httpOnly: true, sameSite: 'lax', path: '/', secure, signed: false, overwrite: true } as const;
    ctx.cookies.set(nameOf(state), value, { ...options, maxAge: maxAge * 1000 });
  };
  return {
    set: (ctx, state) => write(ctx, state, sign(keys[0] ?? '', state), LOGIN_LIFETIME),
    clear: (ctx, state) => write(ctx, state, null, 0),
    verify: (ctx, state) => {
      const value = ctx.cookies.get(nameOf(state), { signed: false }) ?? '';
      return keys.some((key) => equalInConstantTime(value, sign(key, state)));
    },
  };
}
