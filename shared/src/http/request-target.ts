/**
 * Owns that a request target can be read (RFC 9112 §3.2) before a handler sees it. Koa and the routers read it as often as they
 * like, and throw where it is no address: when the request has ended, nobody catches that, and it ends the process.
 */
import type { IncomingMessage } from 'node:http';

/** @returns whether the target can be read */
export function readTarget(req: IncomingMessage): boolean {
  const { url = '' } = req;
  if (url.charCodeAt(0) === SLASH || url === '*') return true;
  const target = /^https?:\/\/[^/\\?#]/i.test(url) ? URL.parse(url) : null;
  if (!target) return false;
  // As the standard writes it: Node's older parser, which Koa uses, throws for some spellings of it.
  req.url = target.href;
  return true;
}

const SLASH = 47;
