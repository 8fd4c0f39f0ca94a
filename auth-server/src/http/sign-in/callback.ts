/**
 * Owns the return from an upstream (RFC 6749 §4.1.2): an answer counts only with our `state` and the cookie of the
 * browser that left with it, at the callback of the connector that it left by, once.
 */
import Router from '@koa/router';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { RequestState } from '@mcp-oauth/shared/http/request-log';
import type { Context, Middleware } from 'koa';
import { interactionPath } from '../../consent/interaction.ts';
import type { Accounts } from '../../federation/account.ts';
import { UpstreamError, type UpstreamReason } from '../../federation/connector.ts';
import type { LoginOutcome, LoginState, Logins } from '../../federation/login.ts';
import type { OpenConnector } from '../../federation/registry.ts';
import { localSubject } from '../../federation/subject.ts';
import type { LoginCookie } from './login-cookie.ts';
import { seeOther } from './redirect.ts';

export interface CallbackParts {
  readonly issuer: string;
  readonly connectors: readonly OpenConnector[];
  readonly logins: Logins;
  readonly accounts: Accounts;
  readonly loginCookie: LoginCookie;
  readonly onSignIn?: SignInWitness | undefined;
}

/** Hears what came of asking an upstream: `ok`, or why not. */
export type SignInWitness = (connector: string, outcome: 'ok' | UpstreamReason) => void;

export function callbackRoutes(parts: CallbackParts): Middleware {
  const router = new Router();
  router.get('/callback/:connector', (ctx) => receive(ctx, parts));
  const routes = router.routes() as Middleware;
  // Most requests are for the protocol, and a router costs.
  return (ctx, next) => (ctx.path.startsWith('/callback/') ? routes(ctx, next) : next());
}

async function receive(ctx: Context, parts: CallbackParts): Promise<void> {
  const { connector } = ctx.params;
  const upstream = parts.connectors.find(({ id }) => id === connector);
  if (!upstream) throw new HttpError(404, 'not_found', 'There is nothing at this address.');
  const { state = '' } = ctx.query;
  if (typeof state !== 'string') throw stranded('more than one state');
  const login = await accept(ctx, parts, state, upstream.id);
  parts.loginCookie.clear(ctx, state);
  const outcome = await settle(ctx, parts, upstream, { ...login, state });
  await parts.logins.leave(login.uid, { ...outcome, approval: login.approval } as LoginOutcome);
  seeOther(ctx, `${interactionPath(parts.issuer, login.uid)}/finish`);
}

/** Spends the login only when everything is right: what a stranger replays costs its owner nothing. */
async function accept(ctx: Context, { logins, loginCookie }: CallbackParts, state: string, connector: string) {
  if (!state) throw stranded('no state');
  if (!loginCookie.verify(ctx, state)) throw stranded('the cookie of this sign-in is missing or not ours');
  const waiting = await logins.find(state);
  if (waiting && waiting.connector !== connector) throw stranded('the state belongs to another connector');
  const login = waiting && (await logins.take(state));
  if (!login) throw stranded('the state is unknown, late or spent');
  return login;
}

const stranded = (reason: string, cause?: unknown): HttpError =>
  new HttpError(400, 'invalid_request', 'This sign-in was already used, took too long, or began in another browser.', {
    reason,
    cause,
  });

type Returned = LoginState & { readonly state: string };
type Ending = { readonly accountId: string } | Pick<Extract<LoginOutcome, { error: string }>, 'error' | 'description'>;

async function settle(ctx: Context, parts: CallbackParts, upstream: OpenConnector, login: Returned): Promise<Ending> {
  try {
    // Built from what is configured: neither Host nor a proxy may have a say in what is sent upstream.
    const answer = new URL(upstream.callbackUrl + ctx.search);
    const identity = await upstream.connector.finish(answer, login);
    const account = { accountId: localSubject(identity), connector: upstream.id, identity };
    await parts.accounts.save(account);
    parts.onSignIn?.(upstream.id, 'ok');
    return { accountId: account.accountId };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    parts.onSignIn?.(upstream.id, error.reason);
    const { log } = ctx.state as RequestState;
    log.warn({ connector: upstream.id, reason: error.message }, 'upstream sign-in failed');
    if (error.reason === 'invalid_answer') throw stranded(error.message, error);
    return error.reason === 'denied'
      ? { error: 'access_denied', description: 'The identity provider did not sign the user in.' }
      : { error: 'temporarily_unavailable', description: 'The identity provider can not be reached at the moment.' };
  }
}
