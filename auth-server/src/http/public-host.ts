/**
 * Ensures that the issuer alone determines every URL, cookie and audience: Host, X-Forwarded-Host and X-Forwarded-Proto are ignored
 * (RFC 8414 §3.3: the URLs in the metadata must belong to the issuer).
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';

/** Must run before anything that builds a URL. The application must trust proxy headers, because this middleware sets them. */
export function publicHost(issuer: string): Middleware {
  const { host, protocol } = new URL(issuer);
  return ({ req }, next) => {
    // RFC 9112 §3.2.2: a target in absolute form would override the host.
    if (!req.url?.startsWith('/')) {
      throw new HttpError(400, 'invalid_request', 'The request target must be a path.', { reason: 'absolute target' });
    }
    req.headers.host = host;
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    delete req.headers['x-forwarded-host'];
    // Anybody can set it, so it must not be used as the address of the caller.
    delete req.headers['x-forwarded-for'];
    return next();
  };
}
