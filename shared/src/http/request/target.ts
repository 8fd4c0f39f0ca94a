/**
 * Ensures that a request target can be parsed (RFC 9112 §3.2) before a handler sees it. Koa and the routers parse it several times
 * and throw if it is invalid. After the end of the request nobody catches that error, and it would end the process.
 */
import type { IncomingMessage } from 'node:http';

/** @returns whether the target can be parsed */
export function readTarget(req: IncomingMessage): boolean {
  const { url = '' } = req;
  if (url.charCodeAt(0) === SLASH || url === '*') return true;
  const target = /^https?:\/\/[^/\\?#]/i.test(url) ? URL.parse(url) : null;
  if (!target) return false;
  // Normalized, because Node's older parser, which Koa uses, throws for some spellings.
  req.url = target.href;
  return true;
}

const SLASH = 47;
