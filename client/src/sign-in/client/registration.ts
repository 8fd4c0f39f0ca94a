/** Owns which OAuth client this program is at an authorization server: a given one, the one of the last sign-in, or a new one. */
import { StartError } from '@mcp-oauth/shared/errors';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { type OAuthClientInformationMixed, registerClient } from '@modelcontextprotocol/client';
import type { Authority } from '../discover.ts';
import type { ClientKey } from './key.ts';

/** A client as the authorization server knows it. */
export type Registered = OAuthClientInformationMixed & {
  readonly grant_types?: string[] | undefined;
  readonly redirect_uris?: string[] | undefined;
  readonly scope?: string | undefined;
  /** Never stored. */
  readonly client_key?: ClientKey | undefined;
};

export interface ClientWish {
  readonly name: string;
  readonly redirectUrl: string;
  readonly grantType: string;
  readonly scope: string | undefined;
  /** A client that exists. */
  readonly clientId?: string | undefined;
  /** The client of the last sign-in at this authorization server. */
  readonly known?: Registered | undefined;
}

export async function clientFor(authority: Authority, wish: ClientWish, fetch: Fetch): Promise<Registered> {
  const { clientId, known, name, redirectUrl, grantType, scope } = wish;
  if (clientId !== undefined) return known?.client_id === clientId ? known : { client_id: clientId };
  if (known && canDo(known, wish)) return known;
  if (!authority.metadata) {
    throw new StartError(
      `no metadata of an authorization server was found at ${authority.server} (RFC 8414 §3): npm run doctor -- <url> says more`,
    );
  }
  return registerClient(authority.server, {
    metadata: authority.metadata,
    clientMetadata: {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: [grantType, 'refresh_token'],
      response_types: grantType === 'authorization_code' ? ['code'] : [],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    ...(scope !== undefined && { scope }),
    fetchFn: fetch,
  }).catch((error: unknown) => {
    throw schemaProblem(error) ?? error;
  });
}

/** The SDK reports an answer of another shape as a list of issues. */
function schemaProblem(error: unknown): StartError | undefined {
  const { issues } = error as { readonly issues?: readonly { readonly path: unknown[]; readonly message: string }[] };
  const [first] = Array.isArray(issues) ? issues : [];
  const what = first && `${first.path.join('.')}: ${first.message}`;
  return what === undefined ? undefined : new StartError(`the registration is answered with no client (${what})`);
}

/** What a registration does not say is not limited. */
function canDo(known: Registered, { redirectUrl, grantType, scope = '' }: ClientWish): boolean {
  const scopes = known.scope?.split(' ');
  return (
    (known.grant_types?.includes(grantType) ?? true) &&
    (known.redirect_uris?.includes(redirectUrl) ?? true) &&
    (scopes === undefined || scope.split(' ').every((name) => scopes.includes(name)))
  );
}
