/**
 * Owns the sign-in page between a client and an upstream: showing it, approval or denial, and the finish after the upstream. The
 * approval is the consent, and always precedes the redirect to the upstream (RFC 9700 §4.10; MCP: confused deputy).
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import Router from '@koa/router';
import { equalInConstantTime } from '@mcp-oauth/shared/crypto/constant-time';
import Koa, { type Context, type Middleware } from 'koa';
import { koaBody } from 'koa-body';
import { approvalOf, formToken } from '../../consent/approval.ts';
import {
  type ApprovingPerson,
  flowOf,
  type Interactions,
  interactionPath,
  type PendingInteraction,
} from '../../consent/interaction.ts';
import { narrowed, without } from '../../consent/scope-choice.ts';
import { stateOf } from '../../context-state.ts';
import type { Logins } from '../../federation/login.ts';
import type { OpenConnector } from '../../federation/registry.ts';
import { said } from '../../languages/language.ts';
import { onlyGet, PageError } from '../../languages/page-error.ts';
import { type ConnectingDependencies, connectAccounts, needsAccounts } from '../connect/during-sign-in.ts';
import type { PageSessions } from '../page-session/page-sessions.ts';
import type { LoginCookie } from './login-cookie.ts';
import {
  askForOrganisation,
  type OrganisationDependencies,
  organisationsFor,
  organisationToken,
} from './organisation.ts';
import { seeOther } from './redirect.ts';
import { OTHER_ACCOUNT } from './refusal.ts';
import { refuseOtherSites } from './same-site.ts';
import { type SignInObserver, upstreamFailed } from './upstream-failure.ts';

export interface InteractionDependencies extends OrganisationDependencies {
  readonly interactions: Interactions;
  readonly connectors: readonly OpenConnector[];
  readonly logins: Logins;
  readonly loginCookie: LoginCookie;
  /** Signs the forms; the same on all replicas. */
  readonly formKey: string;
  readonly pageSessions: Pick<PageSessions, 'end'>;
  /** Absent: no scope needs an account at an upstream. */
  readonly connecting?: ConnectingDependencies | undefined;
  readonly onSignIn?: SignInObserver | undefined;
}

/** Called after the browser and its interaction are verified: no other body is read. */
const readForm = koaBody({ urlencoded: true, json: false, text: false, multipart: false, formLimit: '64kb' });

// The parser loads its tables of encodings with the first form. That is this one: an upgrade may replace the files of a process that runs.
await readForm(emptyForm(), async () => {});

function emptyForm(): Context {
  const request = Object.assign(new IncomingMessage(new Socket()), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' },
  });
  request.push(null);
  return new Koa().createContext(request, new ServerResponse(request));
}

export function interactionRoutes(dependencies: InteractionDependencies): Middleware {
  const router = new Router({ prefix: '/interaction/:uid' });
  router.get('/', (ctx) => show(ctx, dependencies));
  router.post('/approve', (ctx) => approve(ctx, dependencies));
  router.post('/deny', (ctx) => deny(ctx, dependencies));
  router.post('/sign-out', (ctx) => signOut(ctx, dependencies));
  router.get('/finish', (ctx) => finish(ctx, dependencies));
  router.post('/organisation', (ctx) => chooseOrganisation(ctx, dependencies));
  const routes = router.routes() as Middleware;
  // Most requests are for the protocol, and a router costs time.
  return (ctx, next) => (ctx.path.startsWith('/interaction/') ? routes(ctx, next) : next());
}

async function show(ctx: Context, dependencies: InteractionDependencies): Promise<void> {
  const pending = await find(ctx, dependencies);
  const account = pending.accountId === undefined ? undefined : await dependencies.accounts.find(pending.accountId);
  ctx.set({ ...dependencies.pages.headers });
  ctx.type = 'html';
  ctx.body = dependencies.pages.signIn({
    language: dependencies.languageOf(ctx),
    pending,
    path: interactionPath(dependencies.issuer, pending.uid),
    account,
    connectors: dependencies.connectors,
    token: formToken(dependencies.formKey, pending),
    selectsAccount: ctx.query.account === OTHER_ACCOUNT,
  });
}

async function approve(ctx: Context, dependencies: InteractionDependencies): Promise<void> {
  const pending = await findForForm(ctx, dependencies);
  const chosen = field(ctx, 'connector');
  const approved = narrowed(pending, { chosen: new Set(fields(ctx, 'scope')) });
  if (chosen !== undefined) return redirectToUpstream(ctx, dependencies, { pending, approved }, chosen);
  if (pending.accountId === undefined || !(await dependencies.accounts.find(pending.accountId))) {
    throw new PageError(400, 'invalid_request', said('chooseHow'), { reason: 'approval without an account' });
  }
  const { accountId } = pending;
  const names = await organisationsFor(pending, accountId, dependencies);
  if (names.length <= 1 && !needsAccounts(approved)) {
    return approveAs(ctx, dependencies, approved, { accountId, organisation: names[0] });
  }
  const { leftOut = [] } = approved;
  await dependencies.logins.saveOutcome(pending.uid, { accountId, approval: approvalOf(pending), leftOut });
  seeOther(ctx, `${interactionPath(dependencies.issuer, pending.uid)}/finish`);
}

/** Asks the upstream first, so that nothing is stored if it is down. */
async function redirectToUpstream(
  ctx: Context,
  dependencies: InteractionDependencies,
  { pending, approved }: { readonly pending: PendingInteraction; readonly approved: PendingInteraction },
  chosen: string,
) {
  const { interactions, connectors, logins, loginCookie } = dependencies;
  const upstream = connectors.find(({ id }) => id === chosen);
  if (!upstream) throw new PageError(400, 'invalid_request', said('noSuchWay'));
  const checks = logins.createChecks();
  let target: URL;
  try {
    target = new URL(
      await upstream.connector.begin(checks, {
        selectAccount:
          field(ctx, 'account') === OTHER_ACCOUNT || pending.accountId !== undefined || pending.choosesAccount,
      }),
    );
  } catch (error) {
    const { reason, answer } = upstreamFailed(ctx, { upstream, checks }, error);
    dependencies.onSignIn?.(upstream.id, reason);
    return interactions.refuse(ctx, answer.error, answer.description);
  }
  const { leftOut = [] } = approved;
  const login = { uid: pending.uid, connector: upstream.id, approval: approvalOf(pending) };
  await logins.start(checks, { ...login, ...(leftOut.length > 0 && { leftOut }) });
  loginCookie.set(ctx, checks.state);
  const { client, resource } = pending;
  const details = { connector: upstream.id };
  stateOf(ctx).audit({
    event: 'sign-in.started',
    outcome: 'ok',
    client: client.id,
    resource: resource.identifier,
    details,
  });
  seeOther(ctx, target.href);
}

async function deny(ctx: Context, dependencies: InteractionDependencies): Promise<void> {
  const { client, resource, accountId: who } = await findForForm(ctx, dependencies);
  const entry = { client: client.id, resource: resource.identifier, who };
  stateOf(ctx).audit({ event: 'consent.denied', outcome: 'refused', ...entry });
  await dependencies.interactions.refuse(ctx, 'access_denied', 'The request was denied.');
}

/** The same page again, now without an account. What leads on asks the upstream for another one. */
async function signOut(ctx: Context, dependencies: InteractionDependencies): Promise<void> {
  const { uid } = await findForForm(ctx, dependencies);
  await dependencies.interactions.signOut(ctx);
  await dependencies.pageSessions.end(ctx);
  seeOther(ctx, `${interactionPath(dependencies.issuer, uid)}?account=${OTHER_ACCOUNT}`);
}

async function finish(ctx: Context, dependencies: InteractionDependencies): Promise<void> {
  // RFC 9110 §9.2.1: HEAD is safe, and finishing is not.
  if (ctx.method === 'HEAD') {
    throw onlyGet();
  }
  const pending = await find(ctx, dependencies);
  const taken = await dependencies.logins.takeOutcome(pending.uid);
  // Nothing to finish, or the request is no longer the approved one: show the page again.
  if (!taken || taken.approval !== approvalOf(pending)) {
    return seeOther(ctx, interactionPath(dependencies.issuer, pending.uid));
  }
  if ('error' in taken) return dependencies.interactions.refuse(ctx, taken.error, taken.description);
  const { connecting } = dependencies;
  const outcome = connecting ? await connectAccounts(ctx, pending, taken, connecting) : taken;
  if (!outcome) return;
  const { accountId } = outcome;
  const names = await organisationsFor(pending, accountId, dependencies);
  if (names.length > 1) {
    await dependencies.logins.saveOutcome(pending.uid, outcome);
    return askForOrganisation(ctx, { pending, accountId, names }, dependencies);
  }
  const person = { ...outcome, organisation: names[0] };
  await approveAs(ctx, dependencies, without(pending, outcome.leftOut), person);
}

async function chooseOrganisation(ctx: Context, dependencies: InteractionDependencies): Promise<void> {
  refuseOtherSites(ctx, dependencies.issuer);
  const pending = await find(ctx, dependencies);
  await readForm(ctx, async () => {});
  const { formKey, logins } = dependencies;
  const outcome = await logins.takeOutcome(pending.uid);
  const isCurrent =
    outcome !== undefined &&
    'accountId' in outcome &&
    outcome.approval === approvalOf(pending) &&
    equalInConstantTime(field(ctx, 'token') ?? '', organisationToken(formKey, pending, outcome.accountId));
  if (!isCurrent) {
    if (outcome) await logins.saveOutcome(pending.uid, outcome);
    throw outdated();
  }
  const organisation = field(ctx, 'organisation');
  if (
    organisation === undefined ||
    !(await organisationsFor(pending, outcome.accountId, dependencies)).includes(organisation)
  ) {
    await logins.saveOutcome(pending.uid, outcome);
    throw new PageError(400, 'invalid_request', said('noSuchOrganisation'));
  }
  await approveAs(ctx, dependencies, without(pending, outcome.leftOut), { ...outcome, organisation });
}

/** The person has seen the page and agrees. */
function approveAs(
  ctx: Context,
  { interactions }: InteractionDependencies,
  approved: PendingInteraction,
  person: ApprovingPerson,
): Promise<void> {
  const { accountId: who, organisation } = person;
  const { client, resource, scopes, leftOut } = approved;
  const details = {
    scope: scopes.map(({ name }) => name).join(' '),
    leftOut: leftOut?.join(' ') || undefined,
    organisation,
  };
  const entry = { who, client: client.id, resource: resource.identifier, details };
  stateOf(ctx).audit({ event: 'consent.approved', outcome: 'ok', ...entry });
  return interactions.approve(ctx, approved, person);
}

const outdated = (): PageError =>
  new PageError(403, 'invalid_request', said('outOfDate'), { reason: 'form token missing or of another page' });

/** The pending request, whose cookie proves that it belongs to this browser and whose uid is the one in the path. */
async function find(ctx: Context, { interactions }: InteractionDependencies): Promise<PendingInteraction> {
  const { uid = '' } = ctx.params;
  stateOf(ctx).flow = flowOf(uid);
  const pending = await interactions.find(ctx, uid);
  if (pending.uid === uid) return pending;
  throw new PageError(400, 'invalid_request', said('otherRequest'), { reason: 'uid mismatch' });
}

/** The same for a form, which must come from our own page and match what that page showed. */
async function findForForm(ctx: Context, dependencies: InteractionDependencies): Promise<PendingInteraction> {
  refuseOtherSites(ctx, dependencies.issuer);
  const pending = await find(ctx, dependencies);
  await readForm(ctx, async () => {});
  if (equalInConstantTime(field(ctx, 'token') ?? '', formToken(dependencies.formKey, pending))) return pending;
  throw outdated();
}

/** A field of the form that may be there several times. */
function fields(ctx: Context, name: string): readonly string[] {
  const body = ctx.request.body as Readonly<Record<string, unknown>> | undefined;
  return [body?.[name]].flat().filter((value) => typeof value === 'string' && value !== '') as readonly string[];
}

function field(ctx: Context, name: string): string | undefined {
  const [value, ...others] = fields(ctx, name);
  return others.length === 0 ? value : undefined;
}
