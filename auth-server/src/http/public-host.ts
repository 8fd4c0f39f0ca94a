/**
 * Owns who this server is to the outside: the issuer and nobody else. Host, X-Forwarded-Host and X-Forwarded-Proto have no
 * say in any URL, cookie or audience (RFC 8414 §3.3: what the metadata names must be the issuer's).
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';

/** Stands before anything that builds a URL; the application must trust proxy headers, as they are ours from here on. */
export function publicHost(issuer: string): Middleware {
  const { host, protocol } = new URL(issuer);
  return ({ req }, next) => {
    // RFC 9112 §3.2.2: a target in absolute form would bring a host of its own.
    if (!req.url?.startsWith('/')) {
      throw new HttpError(400, 'invalid_request', 'The request target must be a path.', { reason: 'absolute target' });
    }
    req.headers.host = host;
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    delete req.headers['x-forwarded-host'];
    // Anybody may write it, so it must not be taken for the address of the caller.
    delete req.headers['x-forwarded-for'];
    return next();
  };
}
