/**
 * Owns what a tool can do for the person at an upstream: get their token, and send requests with it. What goes wrong becomes an error
 * that the model may read; the log has the reason, and neither has a token.
 */
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Wish } from '../../../upstream/exchange.ts';
import { UrlRefused } from '../../../upstream/hosts.ts';
import { UpstreamUnreachable } from '../../../upstream/request.ts';
import { type ConfiguredUpstream, scopeOf } from '../../../upstream/settings.ts';
import {
  ExchangeLimited,
  ExchangeRefused,
  ExchangeUnavailable,
  InteractionRequired,
  type UpstreamToken,
} from '../../../upstream/upstream-token.ts';
import type { Upstreams } from '../../../upstream/upstreams.ts';
import { AuthorFault, wrongType } from '../../author-fault.ts';
import type { Call } from '../../call.ts';
import { type Context, ToolError } from '../../define.ts';
import { limited, limitsIn } from './answer-limits.ts';
import { connectOnce, keyOf, wishOf } from './connecting.ts';
import { endOfCall } from './running.ts';
import { endOfPage, type WaitingDependencies } from './waiting.ts';

export interface ForPersonDependencies extends WaitingDependencies {
  readonly upstreams: Upstreams;
  readonly log: Logger;
}

/** @throws ToolError, or AuthorFault for a mistake of the author */
export async function tokenAt(
  call: Call,
  dependencies: ForPersonDependencies,
  ...[name, options]: Parameters<Context['upstream']>
): ReturnType<Context['upstream']> {
  const upstream = upstreamOf(dependencies.upstreams, name);
  if ('resource' in upstream.target) {
    throw new AuthorFault(`tokens of ${name} are bound to the key of this server: use fetch instead of upstream`);
  }
  const { rejected } = options ?? {};
  if (rejected !== undefined && typeof rejected !== 'string') throw wrongType('rejected', 'a string', rejected);
  const { token, scopes, expiresAt } = await tokenOf(call, upstream, dependencies, rejected);
  return { token, scopes, expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt) };
}

/** @throws ToolError, or AuthorFault for a mistake of the author */
export async function fetchAt(
  call: Call,
  dependencies: ForPersonDependencies,
  ...[name, url, init]: Parameters<Context['fetch']>
): Promise<Response> {
  const { upstreams, log } = dependencies;
  const upstream = upstreamOf(upstreams, name);
  const { timeout, maxBytes } = limitsIn(init);
  const signal = endOfCall(call);
  try {
    const response = await upstreams.request({
      ...{ upstream, url, init, signal, timeout },
      token: (rejected) => tokenOf(call, upstream, dependencies, rejected),
    });
    const isAborted = () => signal.aborted || init?.signal?.aborted === true;
    return limited(response, { call, name: upstream.id, maxBytes, isAborted });
  } catch (error) {
    if (error instanceof UrlRefused)
      throw new ToolError(`The request was not sent: ${error.message}.`, { cause: error });
    if (!(error instanceof UpstreamUnreachable)) throw error;
    log.warn({ upstream: name, err: error }, 'upstream not reached');
    throw new ToolError(`${error.message}. Try again later.`, { cause: error });
  }
}

/** @throws AuthorFault if there is no such upstream */
function upstreamOf({ configured }: Upstreams, name: unknown): ConfiguredUpstream {
  const found = configured.get(String(name));
  if (found) return found;
  const names = [...configured.keys()].join(', ') || 'none';
  throw new AuthorFault(`there is no upstream ${JSON.stringify(String(name))}; UPSTREAMS names: ${names}`);
}

/** What the operator changes, by the error of the issuer: most of them come from the set-up of auth-server. */
const FIXES: Readonly<Record<string, string>> = {
  invalid_client: 'CLIENTS of auth-server: the entry that exchange-key --client prints, with this EXCHANGE_CLIENT_ID',
  invalid_target: 'EXCHANGE_POLICY of auth-server: name this upstream for EXCHANGE_CLIENT_ID and this MCP server',
  invalid_request: 'the reason is in the log of auth-server, in its line "token request refused"',
  unauthorized_client: 'CLIENTS of auth-server: the grant type of token exchange for EXCHANGE_CLIENT_ID',
  unsupported_grant_type: 'EXCHANGE_POLICY of auth-server: without it no token is exchanged',
};

async function tokenOf(
  call: Call,
  upstream: ConfiguredUpstream,
  dependencies: ForPersonDependencies,
  rejected: string | undefined,
): Promise<UpstreamToken> {
  const { id, target } = upstream;
  const key = keyOf(call, id, rejected);
  const { upstreams, log } = dependencies;
  const caller = { token: call.accessToken, principal: call.principal };
  const exchange = (wish: Wish) => upstreams.token({ upstream, caller, rejected, wish });
  const wish = wishOf(call, key);
  try {
    return await exchange(wish).catch((error: unknown) => {
      if (!(error instanceof InteractionRequired)) throw (wish.page && endOfPage(error, id)) || error;
      // No account is connected at another MCP server.
      if ('resource' in target) throw new ExchangeRefused('interaction_required');
      const what = { call, name: id, key, scope: scopeOf(upstream), exchange };
      return connectOnce(error, what, dependencies);
    });
  } catch (error) {
    const isRefused = error instanceof ExchangeRefused;
    if (!isRefused && !(error instanceof ExchangeUnavailable)) throw error;
    const { issuer, subject, clientId } = call.principal;
    const fix = isRefused ? FIXES[error.reason] : undefined;
    log.warn(
      { upstream: id, issuer, reason: error.message, ...(fix && { fix }), subject, client: clientId },
      'no token of the upstream',
    );
    throw new ToolError(`${id} can't be used: ${whyOf(error)}.`, { cause: error });
  }
}

/** Why there is no token, for the model. */
function whyOf(error: ExchangeRefused | ExchangeUnavailable): string {
  if (error instanceof ExchangeRefused)
    return `the authorization server does not let this server act for the user there (${error.reason})`;
  if (!(error instanceof ExchangeLimited)) return 'the authorization server does not answer. Try again later';
  const { isAboutPages, retryAfter } = error;
  const what = isAboutPages
    ? 'the user was asked too often to connect the account'
    : 'the authorization server accepts no more requests of this server for a while';
  return `${what}. Try again ${retryAfter === undefined ? 'later' : `in ${Math.max(1, retryAfter)} seconds`}`;
}
