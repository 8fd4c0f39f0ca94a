/**
 * Owns the token of an upstream that an exchange gives (RFC 8693 §2.2.1): that of the account which the person has connected. Without
 * one the answer is an error with a link at which they connect it, or says what has come of that. A tool that fails in a loop gets only
 * so many links.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { INTERACTION, TOO_MANY_PAGES } from '@mcp-oauth/shared/contract';
import { HttpError } from '@mcp-oauth/shared/errors';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { stateOf } from '../../context-state.ts';
import { ACCESS_TOKEN, type ExchangeRequest } from '../../exchange/request.ts';
import type { Subject } from '../../exchange/subject-token.ts';
import {
  clientToAllow,
  describeNeed,
  type Needed,
  type Standing,
  scopesAt,
  type UpstreamAccounts,
} from '../../exchange/upstream.ts';
import { UpstreamError } from '../../federation/connector.ts';
import { upstreamScopeName } from '../../resources/upstream-scope.ts';
import type { Limit } from '../device/polling.ts';

export interface UpstreamOptions extends UpstreamAccounts {
  /** Counts the new links of one person to one connector. */
  readonly newLinks: Limit;
}

interface Asked extends Pick<ExchangeRequest, 'scope' | 'rejected' | 'wish' | 'link'> {
  readonly connector: string;
  readonly subject: Subject;
}

/** Seconds after which it is worth while to ask again. */
const PAUSE = 5;

export async function giveUpstreamToken(
  ctx: KoaContextWithOIDC,
  asked: Asked,
  { tools, connections, questions, newLinks, clock }: UpstreamOptions & { readonly clock: Clock },
): Promise<void> {
  const { connector, subject, scope, rejected } = asked;
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
    const onNew = async () => {
      const wait = await newLinks.take(`${connector}:${subject.accountId}`);
      if (wait > 0) throw tooMany(wait);
    };
    const standing = await questions.ask({ ...holder, clientId: subject.clientId, scopes }, asked, onNew);
    throw refusalOf(ctx, { ...asked, standing, needs: answer.needs });
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

interface Unmet extends Asked {
  readonly standing: Standing;
  readonly needs: Needed;
}

/** RFC 8628 §3.5 has the codes for a wait that leads to nothing. */
function refusalOf(ctx: KoaContextWithOIDC, { connector, wish, link, standing, needs }: Unmet): Error {
  if (standing.kind === 'declined') return new errors.AccessDenied('the user has declined to connect the account');
  if (standing.kind === 'failed') {
    return new errors.ExpiredToken('the upstream gave no account: the link is used up');
  }
  // Who can show no link asks for this scope instead, whose approval connects the account as well.
  const scope = { [INTERACTION.scope]: upstreamScopeName(connector) };
  const state = stateOf(ctx);
  state.errorMembers = scope;
  state.isWaiting = wish === 'news' && link !== undefined;
  if (standing.kind === 'link') {
    const { uri, expiresIn, isShown } = standing;
    state.isWaiting = isShown;
    const page = { [INTERACTION.uri]: uri, [INTERACTION.expiresIn]: expiresIn };
    state.errorMembers = { ...scope, ...page, ...(isShown && { [INTERACTION.isShown]: true }) };
  }
  return new errors.CustomOIDCProviderError('interaction_required', describeNeed(needs));
}

/** The reason was logged where the upstream was asked. */
const unavailable = (connector: string, cause: UpstreamError): HttpError =>
  new HttpError(503, 'temporarily_unavailable', 'The upstream gives no token at the moment.', {
    reason: `the upstream of ${connector} gives no token`,
    headers: { 'Retry-After': String(PAUSE) },
    cause,
  });

const tooMany = (wait: number): HttpError =>
  new HttpError(429, TOO_MANY_PAGES, 'Too many links for this user.', {
    reason: 'limit of new links',
    headers: { 'Retry-After': String(wait) },
  });
