/** Owns GET /: the page that explains to a person what this server is and how to connect to it. */
import { HttpError } from '@mcp-oauth/shared/errors';
import { pageHeaders } from '@mcp-oauth/shared/http/security-headers';
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import type { Middleware } from 'koa';
import { type Landing, landingPage } from '../../views/landing.ts';

export function serveLanding(landing: Landing): Middleware {
  const headers = pageHeaders(stylesheet);
  return (ctx) => {
    // A client that was configured with the bare origin gets the URL of MCP, instead of a page that it can't use.
    if (!ctx.accepts('html')) {
      throw new HttpError(
        406,
        'invalid_request',
        `This is a page for people. The MCP endpoint is ${landing.publicUrl}/mcp`,
      );
    }
    ctx.set(headers);
    ctx.type = 'html';
    ctx.body = landingPage(landing);
  };
}
