/**
 * Owns what clients of the revision 2025-03-26 expect at this origin: the authorization server's metadata
 * unchanged, and redirects to its endpoints. Nothing is proxied: no code and no token passes through here.
 */
import { DocumentUnavailable, type RemoteDocument } from '@mcp-oauth/shared/documents/remote-document';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';
import type { IssuerMetadata } from '../../authorization/issuer/issuer-metadata.ts';

export type MetadataSource = Pick<RemoteDocument<IssuerMetadata>, 'get'>;

export function serveIssuerMetadata(source: MetadataSource): Middleware {
  return async (ctx) => {
    const metadata = await fetched(source);
    ctx.set('Cache-Control', 'public, max-age=300');
    ctx.body = metadata;
  };
}

/** A navigation keeps its query: 302. @param change what of the query is sent on */
export function redirectToAuthorization(source: MetadataSource, change = (query: string): string => query): Middleware {
  return async (ctx) => {
    const target = endpoint(await fetched(source), 'authorization_endpoint');
    const query = change(ctx.search.slice(1));
    if (query) target.search = target.search ? `${target.search}&${query}` : query;
    ctx.set({ Location: target.href, 'Cache-Control': 'no-store' });
    ctx.status = 302;
    ctx.body = '';
  };
}

/** A POST remains a POST with its body: 307 (RFC 9110 §15.4.8). */
export function redirectPost(source: MetadataSource, name: 'token_endpoint' | 'registration_endpoint'): Middleware {
  return async (ctx) => {
    const target = endpoint(await fetched(source), name);
    ctx.set({ Location: target.href, 'Cache-Control': 'no-store' });
    ctx.status = 307;
    ctx.body = '';
  };
}

type Endpoint = 'authorization_endpoint' | 'token_endpoint' | 'registration_endpoint';

function endpoint(metadata: IssuerMetadata, name: Endpoint): URL {
  const url = metadata[name];
  if (url === undefined) {
    throw new HttpError(404, 'not_found', 'The authorization server has no such endpoint.', { reason: `no_${name}` });
  }
  return new URL(url);
}

async function fetched(source: MetadataSource): Promise<IssuerMetadata> {
  try {
    return await source.get();
  } catch (cause) {
    if (!(cause instanceof DocumentUnavailable)) throw cause;
    throw new HttpError(
      503,
      'temporarily_unavailable',
      "The authorization server can't be reached. Please try again.",
      {
        reason: 'issuer_unreachable',
        headers: { 'Retry-After': '5' },
        cause,
      },
    );
  }
}
