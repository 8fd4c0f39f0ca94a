/** Owns the routes of the public documents, and the redirects for clients of 2025-03-26. */
import Router from '@koa/router';
import {
  AUTHORIZATION_SERVER_PATH,
  MCP_PATH,
  OPENID_CONFIGURATION_PATH,
  SSE_PATH,
  urlPath,
} from '@mcp-oauth/shared/contract';
import { metadataUrls } from '../../authorization/issuer/issuer-metadata.ts';
import type { Landing } from '../../views/landing.ts';
import { withoutBasePath } from '../base-path.ts';
import { publicCors } from '../cors.ts';
import { metadataPath, OWN_KEYS_PATH } from '../metadata-path.ts';
import { serveLanding } from './landing.ts';
import { type MetadataSource, redirectPost, redirectToAuthorization, serveIssuerMetadata } from './legacy-discovery.ts';
import { type ResourceDescription, serveJson, serveMetadata } from './metadata.ts';
import { methods } from './methods.ts';

const RESOURCE_PATHS = ['', MCP_PATH, SSE_PATH];

const ISSUER_PATHS = new Set(
  RESOURCE_PATHS.flatMap((path) => [
    `${AUTHORIZATION_SERVER_PATH}${path}`,
    `${OPENID_CONFIGURATION_PATH}${path}`,
    `${path}${OPENID_CONFIGURATION_PATH}`,
  ]),
);

/**
 * Whether the issuer's own metadata has one of these paths. A gateway then forwards the path to the issuer. A
 * request that arrives here nevertheless is misrouted: fetching the document from the issuer's public URL, or
 * redirecting there, would lead back here.
 */
export function isAtIssuer(publicUrl: string, issuer: string): boolean {
  const { origin } = new URL(publicUrl);
  const path = urlPath(publicUrl);
  return metadataUrls(issuer).some(
    (url) => url.startsWith(`${origin}/`) && ISSUER_PATHS.has(withoutBasePath(url.slice(origin.length), path)),
  );
}

/** The requirements for access tokens, and who issues them. */
type Access = Pick<ResourceDescription, 'issuers' | 'scopes' | 'dpopRequired' | 'toolsByScope' | 'ownKeys'>;

/** The origin is not checked: the documents are public. */
export function documents(landing: Landing, access: Access, issuer: MetadataSource | undefined): Router {
  const router = new Router();
  const read = methods('GET', 'HEAD');
  router.all('/', read, serveLanding(landing));
  for (const path of RESOURCE_PATHS) {
    router.all(metadataPath(path), publicCors(), read, serveMetadata(path, { ...landing, ...access }));
  }
  const { ownKeys } = access;
  if (ownKeys)
    router.all(
      OWN_KEYS_PATH,
      publicCors(),
      read,
      serveJson(() => ownKeys),
    );
  if (!issuer) return router;
  for (const path of ISSUER_PATHS) router.all(path, publicCors(), read, serveIssuerMetadata(issuer));
  return router;
}

export function redirects(issuer: MetadataSource): Router {
  const router = new Router();
  router.all('/authorize', methods('GET', 'HEAD'), redirectToAuthorization(issuer));
  router.all('/token', methods('POST'), redirectPost(issuer, 'token_endpoint'));
  router.all('/register', methods('POST'), redirectPost(issuer, 'registration_endpoint'));
  return router;
}
