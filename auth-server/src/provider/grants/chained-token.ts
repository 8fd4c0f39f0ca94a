/**
 * Owns the token for another MCP server of ours that an exchange gives (RFC 8693 §4.1): for the same person, for the client that acts,
 * never wider and never longer than the subject token. It ends with the approval of the subject token, because it carries the same
 * status reference, and no refresh token comes with it. It names the client that the person uses: an account at an upstream is there
 * for the clients that the person allowed, and not for all that reach them through one server.
 */
import { seconds, systemClock } from '@mcp-oauth/shared/clock';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { Access } from '../../access/access.ts';
import { EXCHANGE_GRANT } from '../../clients/client.ts';
import { stateOf } from '../../context-state.ts';
import type { Permission } from '../../exchange/policy.ts';
import { ExchangeRefused } from '../../exchange/refusal.ts';
import { ACCESS_TOKEN } from '../../exchange/request.ts';
import { FIRST_CLIENT, type Subject } from '../../exchange/subject-token.ts';
import type { Account } from '../../federation/account.ts';
import { checkProof } from '../overrides/token/proof.ts';
import type { ResourceInfo } from '../resource-indicators.ts';
import { issuable, issueToken } from './issue.ts';

export interface ChainDependencies {
  readonly access: Pick<Access, 'permitted'>;
  readonly resourceInfo: ResourceInfo;
}

interface Chain {
  readonly client: Client;
  readonly subject: Subject;
  readonly account: Account;
  readonly permission: Extract<Permission, { readonly kind: 'resource' }>;
}

export async function issueChained(
  ctx: KoaContextWithOIDC,
  { client, subject, account, permission }: Chain,
  { access, resourceInfo }: ChainDependencies,
): Promise<void> {
  const key = await checkProof(ctx, client.clientId);
  // RFC 9449 §1: a stolen token must be useless, so a bound token never becomes one that anybody can use.
  if (!key && (subject.isBound || client.dpopBoundAccessTokens)) {
    throw new ExchangeRefused('invalid_dpop_proof', 'this exchange needs a DPoP proof of the key of the client');
  }
  stateOf(ctx).permitted = (names, free) => access.permitted(account, names, free);
  const given = await issuable(ctx, client, { ...permission, resourceInfo });
  const extra = { act: permission.actor, status: { status_list: subject.status }, [FIRST_CLIENT]: subject.clientId };
  const members = { accountId: account.accountId, gty: EXCHANGE_GRANT, extra };
  // The clock of the engine, which judges the times of its tokens.
  const longest = subject.expiresAt - seconds(systemClock);
  await issueToken(ctx, client, { ...given, model: 'AccessToken', members, key, longest });
  Object.assign(ctx.body as object, { issued_token_type: ACCESS_TOKEN });
}
