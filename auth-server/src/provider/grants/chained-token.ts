/**
 * Owns the token for another MCP server of ours that an exchange gives (RFC 8693 §4.1): for the same person, for the client that acts,
 * never wider and never longer than the subject token. It ends with the approval of the subject token, because it carries the same
 * status reference, and no refresh token comes with it.
 */
import { seconds, systemClock } from '@mcp-oauth/shared/clock';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { Access } from '../../access/access.ts';
import { EXCHANGE_GRANT } from '../../clients/client.ts';
import type { Permission } from '../../exchange/policy.ts';
import { ExchangeRefused } from '../../exchange/refusal.ts';
import { ACCESS_TOKEN } from '../../exchange/request.ts';
import type { Subject } from '../../exchange/subject-token.ts';
import type { Account } from '../../federation/account.ts';
import type { Resource } from '../../resources/resource.ts';
import { namesOf } from '../../resources/scope.ts';
import { scopeBound } from '../clients/policy.ts';
import { checkProof } from '../overrides/token/proof.ts';

export interface ChainDependencies {
  readonly access: Pick<Access, 'permitted'>;
}

interface Chain {
  readonly client: Client;
  readonly subject: Subject;
  readonly account: Account;
  readonly permission: Extract<Permission, { readonly kind: 'resource' }>;
}

export async function issueChained(
  ctx: KoaContextWithOIDC,
  chain: Chain,
  dependencies: ChainDependencies,
): Promise<void> {
  const { client, subject, account, permission } = chain;
  const { resource } = permission;
  const key = await checkProof(ctx, client.clientId);
  // RFC 9449 §1: a stolen token must be useless, so a bound token never becomes one that anybody can use.
  if (!key && (subject.isBound || client.dpopBoundAccessTokens)) {
    throw new ExchangeRefused('invalid_dpop_proof', 'this exchange needs a DPoP proof of the key of the client');
  }
  await resource.ready();
  const scope = issuable(permission.scopes, chain, dependencies).join(' ');
  const { AccessToken, ResourceServer } = ctx.oidc.provider as unknown as Models;
  const token = new AccessToken({ accountId: account.accountId, client, gty: EXCHANGE_GRANT, scope });
  token.resourceServer = new ResourceServer(resource.identifiers[0], {
    scope,
    audience: resource.audience,
    ...(resource.accessTokenLifetime && { accessTokenTTL: resource.accessTokenLifetime }),
    accessTokenFormat: 'jwt',
  });
  // The clock of the engine, which judges the times of its tokens.
  const now = seconds(systemClock);
  token.exp = Math.min(now + token.expiration, subject.expiresAt);
  token.extra = { act: permission.actor, status: { status_list: subject.status } };
  if (key) token.setThumbprint('jkt', key);
  ctx.oidc.entity('AccessToken', token as never);
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: token.tokenType,
    expires_in: token.exp - now,
    scope,
  };
}

/** What the person may have now, what the client may have, and what the MCP server still knows. */
function issuable(names: readonly string[], chain: Chain, { access }: ChainDependencies): readonly string[] {
  const { client, account, permission } = chain;
  const { scopes, baseScopes }: Resource = permission.resource;
  const bound = scopeBound(client);
  const within = bound === undefined ? undefined : new Set(namesOf(bound));
  const known = names.filter((name) => Object.hasOwn(scopes, name) && (within?.has(name) ?? true));
  const permitted = access.permitted(account, known, baseScopes);
  if (permitted.length > 0) return permitted;
  throw new ExchangeRefused('invalid_scope', 'none of the scopes of this exchange can be issued now');
}

/** The models of the engine, with the members that its types leave out. */
interface Models {
  readonly AccessToken: new (members: object) => Token;
  readonly ResourceServer: new (identifier: string, info: object) => object;
}

interface Token {
  exp: number;
  /** Seconds. */
  readonly expiration: number;
  readonly tokenType: string;
  resourceServer: object;
  extra: object;
  setThumbprint(kind: 'jkt', thumbprint: string): void;
  save(): Promise<string>;
}
