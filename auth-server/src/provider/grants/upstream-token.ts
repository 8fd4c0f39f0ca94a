/**
 * Owns the token of an upstream that an exchange gives (RFC 8693 §2.2.1): that of the account which the person has connected. Without
 * one the answer is an error with a link at which they connect it. A tool that fails in a loop gets only so many links.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { HttpError } from '@mcp-oauth/shared/errors';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { stateOf } from '../../context-state.ts';
import { ACCESS_TOKEN, type ExchangeRequest } from '../../exchange/request.ts';
import type { Subject } from '../../exchange/subject-token.ts';
import { clientToAllow, describeNeed, scopesAt, type UpstreamAccounts } from '../../exchange/upstream.ts';
import { UpstreamError } from '../../federation/connector.ts';
import { upstreamScopeName } from '../../resources/upstream-scope.ts';
import type { Limit } from '../device/polling.ts';

export interface UpstreamOptions extends UpstreamAccounts {
  /** Counts the new links of one person to one connector. */
  readonly newLinks: Limit;
}

interface Asked extends Pick<ExchangeRequest, 'scope' | 'rejected' | 'wantsLink'> {
  readonly connector: string;
  readonly subject: Subject;
}

/** Seconds after which it is worth while to ask again. */
const PAUSE = 5;

export async function giveUpstreamToken(
  ctx: KoaContextWithOIDC,
  { connector, subject, scope, rejected, wantsLink }: Asked,
  { tools, connections, links, newLinks, clock }: UpstreamOptions & { readonly clock: Clock },
): Promise<void> {
  const upstream = tools.find(({ id }) => id === connector);
  // The start refuses such a policy.
  if (!upstream) throw new Error(`the policy names the connector ${connector}, which is not for tools`);
  const scopes = scopesAt(upstream, scope);
  const holder = { connector, accountId: subject.accountId };
  const client = clientToAllow(subject, connector);
  const answer = await connections.token(holder, { scopes, client, rejected }).catch((error: unknown) => {
    throw error instanceof UpstreamError ? unavailable(connector, error) : error;
  });
  if ('needs' in answer) {
    const needed = new errors.CustomOIDCProviderError('interaction_required', describeNeed(answer.needs));
    // Who can show no link asks for this scope instead, whose approval connects the account as well.
    const members = { interaction_scope: upstreamScopeName(connector) };
    stateOf(ctx).errorMembers = members;
    if (!wantsLink) throw needed;
    const wait = await newLinks.take(`${connector}:${subject.accountId}`);
    if (wait > 0) throw tooMany(wait);
    const { uri, expiresIn } = await links.create({ ...holder, clientId: subject.clientId, scopes });
    stateOf(ctx).errorMembers = { ...members, interaction_uri: uri, interaction_expires_in: expiresIn };
    throw needed;
  }
  const { token, expiresAt } = answer;
  ctx.body = {
    access_token: token,
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    ...(expiresAt !== undefined && { expires_in: Math.max(0, expiresAt - seconds(clock)) }),
    ...(answer.scopes.length > 0 && { scope: answer.scopes.join(' ') }),
  };
}

/** The reason was logged where the upstream was asked. */
const unavailable = (connector: string, cause: UpstreamError): HttpError =>
  new HttpError(503, 'temporarily_unavailable', 'The upstream gives no token at the moment.', {
    reason: `the upstream of ${connector} gives no token`,
    headers: { 'Retry-After': String(PAUSE) },
    cause,
  });

const tooMany = (wait: number): HttpError =>
  new HttpError(429, 'too_many_requests', 'Too many links for this user.', {
    reason: 'limit of new links',
    headers: { 'Retry-After': String(wait) },
  });
