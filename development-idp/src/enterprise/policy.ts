/**
 * Owns what the administrator of the development IdP allows: who may use which MCP server, with which scopes, through the one client that
 * may ask for an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant-04 §4.3.3). Everything else is refused.
 */
import { canonicalResource } from '@mcp-oauth/shared/contract';

export const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

export interface Policy {
  /** The authorization server of all these MCP servers: no other pair of `audience` and `resource` is allowed. */
  readonly audience: string;
  /** MCP servers by their resource identifiers. */
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
  /** The people who are allowed, by their subjects. */
  readonly people: readonly string[];
  /** How the authorization server knows the client that asks here. */
  readonly clientId: string;
}

/** The parameters of a token exchange (RFC 8693 §2.1). */
export interface Wish {
  readonly requested_token_type?: string;
  readonly subject_token_type?: string;
  readonly subject_token?: string;
  readonly actor_token?: string;
  readonly audience?: string;
  readonly resource?: string;
  readonly scope?: string;
}

export interface Refused {
  readonly error: 'invalid_request' | 'invalid_target' | 'invalid_scope' | 'access_denied';
  readonly description: string;
}

export interface Allowed {
  readonly resource: string;
  readonly scope: string;
}

const refused = (error: Refused['error'], description: string): Refused => ({ error, description });

/** What can be refused before the subject token is read. */
export function flawOf(wish: Wish, { audience, resources }: Policy): Refused | undefined {
  const missing = (['requested_token_type', 'subject_token', 'subject_token_type', 'audience'] as const).find(
    (name) => wish[name] === undefined,
  );
  if (missing) return refused('invalid_request', `${missing} is missing`);
  if (wish.requested_token_type !== ID_JAG) return refused('invalid_request', `requested_token_type must be ${ID_JAG}`);
  if (wish.subject_token_type !== ID_TOKEN) return refused('invalid_request', `subject_token_type must be ${ID_TOKEN}`);
  if (wish.actor_token !== undefined) return refused('invalid_request', 'actor_token is not supported');
  if (wish.audience !== audience)
    return refused('invalid_target', 'no authorization server is known under this audience');
  if (!resourceIn(resources, wish.resource)) {
    return refused('invalid_target', 'the administrator has not allowed this resource with this audience');
  }
  return undefined;
}

/** @param subject of the ID token */
export function decide(wish: Wish, subject: string, policy: Policy): Allowed | Refused {
  const flaw = flawOf(wish, policy);
  if (flaw) return flaw;
  if (!policy.people.includes(subject)) {
    return refused('access_denied', 'the administrator has not allowed this person to use the MCP server');
  }
  const asked = wish.scope?.split(' ').filter(Boolean) ?? policy.scopes;
  const granted = policy.scopes.filter((scope) => asked.includes(scope));
  if (granted.length === 0) return refused('invalid_scope', 'the administrator has allowed none of these scopes');
  return { resource: resourceIn(policy.resources, wish.resource) ?? '', scope: granted.join(' ') };
}

/** `resource` is optional (MCP enterprise-managed authorization §4): without it the only MCP server is meant. */
const resourceIn = (resources: readonly string[], asked: string | undefined): string | undefined =>
  asked === undefined
    ? resources.find((_, __, { length }) => length === 1)
    : resources.find((resource) => canonicalResource(resource) === canonicalResource(asked));
