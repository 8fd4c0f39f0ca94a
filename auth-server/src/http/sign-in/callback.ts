/**
 * Owns the return from an upstream (RFC 6749 §4.1.2): an answer is accepted once, only with our `state`, with the cookie of the
 * browser that started the sign-in, and at the callback of the connector that was used.
 */
import Router from '@koa/router';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Context, Middleware } from 'koa';
import type { Access } from '../../access/access.ts';
import type { PassThrough } from '../../access/gate.ts';
import { flowOf, interactionPath } from '../../consent/interaction.ts';
import { stateOf } from '../../context-state.ts';
import type { Account, Accounts } from '../../federation/account.ts';
import type { Identity, LoginChecks, SignIn } from '../../federation/connector.ts';
import { type ClientAnswer, sanitized } from '../../federation/failure.ts';
import type { LoginState, Logins, SignedIn } from '../../federation/login.ts';
import type { OpenConnector, OpenTools } from '../../federation/registry.ts';
import { acceptIdentity, localSubject } from '../../federation/subject.ts';
import { type Said, said } from '../../languages/language.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import { PageError } from '../../languages/page-error.ts';
import { type SignedOut, upstreamSessionOf } from '../../logout/signed-out.ts';
import type { Recheck } from '../../vault/recheck.ts';
import type { Pages } from '../../views/pages.ts';
import { finishConnection, type ReturnedConnectionDependencies } from '../connect/returned.ts';
import type { PageSessions } from '../page-session/page-sessions.ts';
import { finishOnPage } from '../page-session/returned.ts';
import { readFormPost, redirectToCallback } from './form-post.ts';
import type { LoginCookie } from './login-cookie.ts';
import { seeOther } from './redirect.ts';
import { showRefusal } from './refusal.ts';
import { type SignInObserver, upstreamFailed } from './upstream-failure.ts';

export interface CallbackDependencies {
  readonly issuer: string;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly connectors: readonly OpenConnector[];
  readonly logins: Logins;
  readonly accounts: Accounts;
  readonly passThrough: PassThrough;
  readonly access: Pick<Access, 'stored'>;
  readonly recheck: Pick<Recheck, 'remember'>;
  readonly signedOut: Pick<SignedOut, 'remember' | 'includes'>;
  readonly pageSessions: Pick<PageSessions, 'start'>;
  /** Absent: nobody connects accounts for tools. */
  readonly connecting?: ReturnedConnectionDependencies | undefined;
  readonly loginCookie: LoginCookie;
  readonly clock: Clock;
  readonly onSignIn?: SignInObserver | undefined;
}

export function callbackRoutes(dependencies: CallbackDependencies): Middleware {
  const router = new Router();
  router.get('/callback/:connector', (ctx) => receive(ctx, dependencies));
  router.post('/callback/:connector', (ctx) => receiveForm(ctx, dependencies));
  const routes = router.routes() as Middleware;
  // Most requests are for the protocol, and a router costs time.
  return (ctx, next) => (ctx.path.startsWith('/callback/') ? routes(ctx, next) : next());
}

/** Of a sign-in or of tools: both come back to the same address, and the state says which of them it is. */
function upstreamOf(ctx: Context, { connectors, connecting }: CallbackDependencies): OpenConnector | OpenTools {
  const upstream = [...connectors, ...(connecting?.tools ?? [])].find(({ id }) => id === ctx.params.connector);
  if (upstream) return upstream;
  throw new PageError(404, 'not_found', said('nothingHere'));
}

async function receive(ctx: Context, dependencies: CallbackDependencies): Promise<void> {
  const upstream = upstreamOf(ctx, dependencies);
  // RFC 9110 §9.2.1: HEAD is safe: a link preview must not use up a sign-in.
  if (ctx.method === 'HEAD') {
    throw new PageError(405, 'invalid_request', said('onlyGetAndPost'), {
      headers: { Allow: 'GET, POST' },
    });
  }
  const answer = new URLSearchParams(ctx.search);
  const [state = '', ...others] = answer.getAll('state');
  if (!state || others.length > 0) throw callbackError(answer, 'foreign', state ? 'more than one state' : 'no state');
  const login = await accept(ctx, dependencies, { state, connector: upstream.id, answer });
  dependencies.loginCookie.clear(ctx, state);
  if ('connection' in login) {
    const { connecting } = dependencies;
    if (!connecting) throw callbackError(answer, 'foreign', 'nobody connects accounts here any more');
    return finishConnection(ctx, { ...login, state }, connecting);
  }
  if (!('connector' in upstream)) throw callbackError(answer, 'foreign', 'the connector signs nobody in');
  const { refused, authenticatedAt, ...outcome } = await completeSignIn(ctx, dependencies, upstream, {
    ...login,
    state,
  });
  if ('page' in login) {
    const returned = { upstream, page: login.page, outcome, authenticatedAt, refused };
    return finishOnPage(ctx, returned, dependencies);
  }
  const { approval, leftOut } = login;
  await dependencies.logins.saveOutcome(login.uid, { ...outcome, approval, ...(leftOut && { leftOut }) });
  if (refused) {
    return showRefusal(ctx, {
      languageOf: dependencies.languageOf,
      pages: dependencies.pages,
      uid: login.uid,
      issuer: dependencies.issuer,
      identity: refused,
      provider: upstream.title,
    });
  }
  seeOther(ctx, `${interactionPath(dependencies.issuer, login.uid)}/finish`);
}

/** A form uses nothing up: it is redirected to `receive`, if a sign-in waits for it. */
async function receiveForm(ctx: Context, dependencies: CallbackDependencies): Promise<void> {
  const upstream = upstreamOf(ctx, dependencies);
  const answer = await readFormPost(ctx);
  const [state, ...others] = answer.getAll('state');
  if (!state || others.length > 0) throw callbackError(answer, 'foreign', state ? 'more than one state' : 'no state');
  const waiting = await dependencies.logins.find(state);
  if (!waiting) throw callbackError(answer, 'over', 'the state is unknown, expired or already used');
  if (waiting.connector !== upstream.id)
    throw callbackError(answer, 'foreign', 'the state belongs to another connector');
  redirectToCallback(ctx, upstream.callbackUrl, answer);
}

/** Takes the login only if everything is valid, so that a replay by somebody else does not use it up. */
async function accept(
  ctx: Context,
  { logins, loginCookie }: CallbackDependencies,
  { state, connector, answer }: CallbackAnswer,
) {
  const hasCookie = loginCookie.verify(ctx, state);
  const waiting = await logins.find(state);
  if (waiting) stateOf(ctx).flow = flowOf(interactionOf(waiting) ?? state);
  if (!hasCookie) {
    // A finished sign-in has no cookie either, so the cookie is only reported as missing if the sign-in still waits.
    throw callbackError(answer, waiting ? 'no_cookie' : 'over', 'the cookie of this sign-in is missing or not valid');
  }
  if (!waiting) throw callbackError(answer, 'over', 'the state is unknown, expired or already used');
  if (waiting.connector !== connector) throw callbackError(answer, 'foreign', 'the state belongs to another connector');
  const login = await logins.take(state);
  if (!login) throw callbackError(answer, 'over', 'the state was used by another request at the same time');
  return login;
}

function interactionOf(login: LoginState): string | undefined {
  if ('connection' in login) return login.connection.interaction;
  return 'uid' in login ? login.uid : undefined;
}

interface CallbackAnswer {
  readonly state: string;
  readonly connector: string;
  readonly answer: URLSearchParams;
}

/** The texts for a person whose client cannot get an error. */
const WORDS = {
  over: said('overAfterUpstream'),
  no_cookie: said('noCookie'),
  foreign: said('foreignAnswer'),
} as const satisfies Readonly<Record<string, Said>>;

/** The log gets our reason and the error of the upstream, because an error may come back without the state. */
function callbackError(answer: URLSearchParams, why: keyof typeof WORDS, reason: string): PageError {
  const secrets = ['code', 'state'].flatMap((name) => answer.getAll(name).slice(0, 3));
  const said = ['error', 'error_description'].map((name) => sanitized(answer.get(name) ?? '', secrets)).filter(Boolean);
  const detail = said.length > 0 ? `; the answer says ${said.join(': ')}` : '';
  return new PageError(400, 'invalid_request', WORDS[why], { reason: reason + detail });
}

type Person = Pick<Account, 'accountId' | 'connector' | 'identity'>;

/** The only entries with an address: `audit show --person` finds by it the subject that the others have. */
function note(ctx: Context, event: 'sign-in.succeeded' | 'sign-in.refused', person: Person, reason?: string): void {
  const { accountId: who, connector, identity } = person;
  const details = { connector, email: identity.email, username: identity.username };
  stateOf(ctx).audit({ event, outcome: reason === undefined ? 'ok' : 'refused', who, reason, details });
}

type ReturnedLogin = Pick<LoginState, 'nonce' | 'codeVerifier'> & Pick<LoginChecks, 'state'>;
type SignInOutcome = (SignedIn | ClientAnswer) & {
  /** The person, if they signed in and may not come in. */
  readonly refused?: Identity;
  /** When the person proved at the upstream who they are. */
  readonly authenticatedAt?: number | undefined;
};

async function completeSignIn(
  ctx: Context,
  dependencies: CallbackDependencies,
  upstream: OpenConnector,
  login: ReturnedLogin,
): Promise<SignInOutcome> {
  // Built from the configuration: neither Host nor a proxy header may influence what is sent to the upstream.
  const answer = new URL(upstream.callbackUrl + ctx.search);
  // Before the exchange: a logout that arrives in the meantime is later.
  const since = seconds(dependencies.clock);
  let signIn: SignIn;
  try {
    signIn = await upstream.connector.finish(answer, login);
    acceptIdentity(signIn?.identity);
  } catch (error) {
    const code = answer.searchParams.get('code') ?? undefined;
    const failed = upstreamFailed(ctx, { upstream, checks: login, code }, error);
    dependencies.onSignIn?.(upstream.id, failed.reason);
    return failed.answer;
  }
  const { identity, session } = signIn;
  const found = { accountId: localSubject(identity), connector: upstream.id, identity };
  const { account, refusal } = await dependencies.passThrough(found, 'sign-in');
  if (refusal) {
    stateOf(ctx).log.warn({ connector: upstream.id, reason: refusal.reason }, 'person refused');
    note(ctx, 'sign-in.refused', found, refusal.reason);
    dependencies.onSignIn?.(upstream.id, 'denied');
    return { error: 'access_denied', description: refusal.description, refused: identity };
  }
  const remembered = await dependencies.recheck.remember(account, session);
  await dependencies.accounts.save({ ...dependencies.access.stored(remembered), signedInAt: since });
  const upstreamSession = session?.sid === undefined ? undefined : upstreamSessionOf(identity.issuer, session.sid);
  if (upstreamSession !== undefined && upstream.connector.logout?.endsApprovals) {
    await dependencies.signedOut.remember(upstreamSession, account.accountId);
  }
  dependencies.onSignIn?.(upstream.id, 'ok');
  note(ctx, 'sign-in.succeeded', account);
  return { accountId: account.accountId, since, upstreamSession, authenticatedAt: signIn.authenticatedAt };
}
