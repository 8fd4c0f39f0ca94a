/**
 * Owns the host names and web origins that may call this server, which prevents DNS rebinding (MCP transports,
 * Security Warning).
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import { isLoopback, LOOPBACK_HOSTS } from '@mcp-oauth/shared/network/internal-host';
import type { Middleware } from 'koa';

export interface OriginOptions {
  readonly publicUrl: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

/**
 * Whether a `Host` header names this server. An allowed host without a port is allowed with any port. A server on
 * loopback accepts every loopback name and port, as a tunnel or a container may change the port: DNS rebinding
 * can't produce such a name.
 */
export function createHostRule({ publicUrl, allowedHosts }: OriginOptions): (host: string) => boolean {
  const { protocol, host: own } = new URL(publicUrl);
  const more = [...allowedHosts, ...(isLoopback(publicUrl) ? LOOPBACK_HOSTS : [])];
  const spelled = (host: string): URL | null =>
    /^[a-z0-9.\-_:[\]]+$/i.test(host) ? URL.parse(`${protocol}//${host}`) : null;
  const known = new Set([own, ...more].map((host) => spelled(host)?.host));
  const names = new Set(more.filter((host) => !/:\d+$/.test(host)).map((host) => spelled(host)?.hostname));
  return (host) => {
    if (known.has(host)) return true;
    const url = spelled(host);
    return url !== null && (known.has(url.host) || names.has(url.hostname));
  };
}

/** Whether a web page of this origin may call; programs send no origin. */
export function createOriginRule({ publicUrl, allowedOrigins }: OriginOptions): (origin: string) => boolean {
  const known = new Set([new URL(publicUrl).origin, ...allowedOrigins]);
  const local = isLoopback(publicUrl);
  return (origin) => known.has(origin) || (local && isLoopback(origin));
}

export function checkHost(options: OriginOptions): Middleware {
  const allowed = createHostRule(options);
  return async (ctx, next) => {
    if (!allowed(ctx.get('Host'))) throw wrongHost(ctx.get('Host'));
    await next();
  };
}

export function checkOrigin(options: OriginOptions): Middleware {
  const allowed = createOriginRule(options);
  return async (ctx, next) => {
    const origin = ctx.headers.origin;
    if (origin !== undefined && !allowed(origin)) throw wrongOrigin(origin);
    await next();
  };
}

export const wrongHost = (found: string): HttpError =>
  new HttpError(403, 'access_denied', 'This server is not known under that host name.', {
    reason: 'wrong_host',
    facts: { header: 'Host', found: found.slice(0, LONGEST), setting: 'ALLOWED_HOSTS' },
  });

export const wrongOrigin = (found: string): HttpError =>
  new HttpError(403, 'access_denied', 'Web pages of that origin may not call this server.', {
    reason: 'wrong_origin',
    facts: { header: 'Origin', found: found.slice(0, LONGEST), setting: 'ALLOWED_ORIGINS' },
  });

/** A shortened value for the log, as anybody can send it. */
const LONGEST = 200;
