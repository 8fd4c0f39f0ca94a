/** Owns the documents that describe this server as a protected resource (RFC 9728 §2, §3). */

import { createHash } from 'node:crypto';
import { type ScopeTools, TOOLS_BY_SCOPE } from '@mcp-oauth/shared/contract';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { Middleware } from 'koa';
import { PROOF_ALGORITHMS } from '../../authorization/dpop/proof.ts';
import { OWN_KEYS_PATH } from '../metadata-path.ts';

export interface ResourceDescription {
  readonly publicUrl: string;
  /** The authorization servers that clients may use. */
  readonly issuers: readonly string[];
  readonly serverName: string;
  /** Every scope that a tool may require: authorization servers learn the scopes from here. */
  readonly scopes: () => readonly string[];
  readonly dpopRequired: boolean;
  /** What the tools behind each scope are. */
  readonly toolsByScope: () => Readonly<Record<string, ScopeTools>>;
  /** The public keys by which this server identifies itself (RFC 7517 §5); absent: it has none. */
  readonly ownKeys: object | undefined;
}

/** `resource` is exactly the URL that the document is for, because clients compare the two (RFC 9728 §3.3). */
function resourceMetadata(path: string, description: ResourceDescription) {
  const { publicUrl, issuers, serverName, dpopRequired, ownKeys } = description;
  const scopes = description.scopes();
  const tools = description.toolsByScope();
  return {
    resource: `${publicUrl}${path}`,
    // RFC 9728 §3.2: members without elements are left out.
    ...(issuers.length > 0 && { authorization_servers: issuers }),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    ...(ownKeys && { jwks_uri: `${publicUrl}${OWN_KEYS_PATH}` }),
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
    dpop_bound_access_tokens_required: dpopRequired,
    ...(Object.keys(tools).length > 0 && { [TOOLS_BY_SCOPE]: tools }),
    resource_name: serverName,
    resource_documentation: `${publicUrl}/`,
  };
}

export const serveMetadata = (path: string, description: ResourceDescription): Middleware =>
  serveJson(() => resourceMetadata(path, description));

/** A public document, which may be kept for five minutes. */
export function serveJson(content: () => object): Middleware {
  return (ctx) => {
    const body = jsonText(content());
    ctx.set('Cache-Control', 'public, max-age=300');
    ctx.etag = createHash('sha256').update(body).digest('base64url');
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    ctx.type = 'json';
    ctx.body = body;
  };
}
