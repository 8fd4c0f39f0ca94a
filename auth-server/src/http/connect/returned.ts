/**
 * Owns the return of a person from the upstream where they connected an account for tools. The account is connected only if the browser
 * is still that of the person who left: otherwise an account would be used for somebody whom its owner does not know.
 */
import type { Context } from 'koa';
import type { PassThrough } from '../../access/gate.ts';
import type { LinkEnd, Links } from '../../connecting/links.ts';
import { isLacking } from '../../connecting/missing.ts';
import { interactionPath } from '../../consent/interaction.ts';
import { stateOf } from '../../context-state.ts';
import type { Accounts } from '../../federation/account.ts';
import { type Connected, type LoginChecks, UpstreamError } from '../../federation/connector.ts';
import type { LoginOfConnection, Logins } from '../../federation/login.ts';
import type { OpenTools } from '../../federation/registry.ts';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import type { SignedOut } from '../../logout/signed-out.ts';
import { upstreamScopeOf } from '../../resources/upstream-scope.ts';
import type { Connections, ShownConnection } from '../../vault/connections/connections.ts';
import type { PageSessions } from '../page-session/page-sessions.ts';
import { seeOther } from '../sign-in/redirect.ts';
import { type Failed, upstreamFailed } from '../sign-in/upstream-failure.ts';
import { donePath } from './done-page.ts';

export interface ReturnedConnectionDependencies {
  readonly issuer: string;
  readonly tools: readonly OpenTools[];
  readonly connections: Pick<Connections, 'connect' | 'disconnect'>;
  readonly links: Pick<Links, 'end'>;
  readonly logins: Pick<Logins, 'takeOutcome' | 'saveOutcome'>;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly passThrough: PassThrough;
  readonly pageSessions: Pick<PageSessions, 'find'>;
  readonly signedOut: Pick<SignedOut, 'includes'>;
}

type Returned = LoginOfConnection & LoginChecks;

/** Why no account was connected: it may not be this person's, or the upstream gave none. */
type NotConnected = 'not theirs' | Failed;

export async function finishConnection(
  ctx: Context,
  login: Returned,
  dependencies: ReturnedConnectionDependencies,
): Promise<void> {
  const upstream = dependencies.tools.find(({ id }) => id === login.connector);
  if (!upstream) throw new PageError(404, 'not_found', said('nothingHere'));
  const { interaction } = login.connection;
  if (interaction !== undefined) return finishInInteraction(ctx, login, { upstream, interaction }, dependencies);
  const isPresent = hasSession(ctx, login, dependencies);
  // Calls wait for what comes of the link, which is used up.
  const endLink = async (end: LinkEnd) => {
    const { link, accountId } = login.connection;
    if (link !== undefined) await dependencies.links.end(link, { accountId, connector: upstream.id }, end);
  };
  const attempt = async () => {
    if (await isPresent()) return connect(ctx, login, { upstream, isPresent }, dependencies);
    throw isGone('the person of the link is not signed in any more');
  };
  const result = await attempt().catch(async (error: unknown) => {
    await endLink('failed').catch(() => {});
    throw error;
  });
  if (result === 'not theirs' || 'reason' in result) {
    const isDeclined = result !== 'not theirs' && result.answer.error === 'access_denied';
    await endLink(isDeclined ? 'declined' : 'failed');
    throw connectionFailed(upstream, result);
  }
  seeOther(ctx, donePath(dependencies.issuer, upstream.id));
}

/** The request goes on whatever came of it: without the account, its scope is left out. */
async function finishInInteraction(
  ctx: Context,
  login: Returned,
  { upstream, interaction }: { readonly upstream: OpenTools; readonly interaction: string },
  dependencies: ReturnedConnectionDependencies,
): Promise<void> {
  const { logins, issuer } = dependencies;
  const outcome = await logins.takeOutcome(interaction);
  if (!outcome || !('accountId' in outcome)) throw isGone('the sign-in of this connection has ended');
  const { accountId } = login.connection;
  const isSame = outcome.accountId === accountId;
  const isPresent =
    outcome.since === undefined
      ? hasSession(ctx, login, dependencies)
      : async () => !(await dependencies.signedOut.includes(outcome));
  const result = isSame ? await connect(ctx, login, { upstream, isPresent }, dependencies) : 'not theirs';
  const isUsable = result !== 'not theirs' && !('reason' in result) && !isLacking(result, upstream.scopes);
  const leftOut = [...(outcome.leftOut ?? []), ...(isUsable ? [] : [upstreamScopeOf(upstream).name])];
  await logins.saveOutcome(interaction, { ...outcome, leftOut });
  seeOther(ctx, `${interactionPath(issuer, interaction)}/finish`);
}

const isGone = (reason: string): PageError =>
  new PageError(403, 'invalid_request', said('otherSession'), { reason, next: said('linkAgain') });

/** Whether the person of the connection is the one who is signed in with this browser. */
const hasSession =
  (ctx: Context, { connection }: Returned, { pageSessions }: ReturnedConnectionDependencies) =>
  async (): Promise<boolean> =>
    (await pageSessions.find(ctx))?.accountId === connection.accountId;

interface Place {
  readonly upstream: OpenTools;
  /** Whether the person has not been signed out since they left. */
  readonly isPresent: () => Promise<boolean>;
}

async function connect(
  ctx: Context,
  { connection: { accountId, clientId: client, scopes }, state, nonce, codeVerifier }: Returned,
  { upstream, isPresent }: Place,
  { accounts, passThrough, connections }: ReturnedConnectionDependencies,
): Promise<ShownConnection | NotConnected> {
  const connector = upstream.id;
  const account = await accounts.find(accountId);
  const passage = account && (await passThrough(account, 'session'));
  const entry = { who: accountId, client };
  const refuse = (reason: string): NotConnected => {
    stateOf(ctx).log.warn({ subject: accountId, connector, reason }, 'connection of an account refused');
    stateOf(ctx).audit({ event: 'connection.refused', outcome: 'refused', ...entry, reason, details: { connector } });
    return 'not theirs';
  };
  if (!passage || passage.refusal) return refuse(passage?.refusal?.reason ?? 'the person is not known any more');
  // Built from the configuration: neither Host nor a proxy header may influence what is sent to the upstream.
  const answer = new URL(upstream.callbackUrl + ctx.search);
  const checks = { state, nonce, codeVerifier };
  let finished: Connected;
  try {
    finished = await upstream.access.finish(answer, checks, scopes);
  } catch (error) {
    const code = answer.searchParams.get('code') ?? undefined;
    return upstreamFailed(ctx, { upstream, checks, code }, error);
  }
  let made: ShownConnection;
  try {
    made = await connections.connect({ connector, accountId }, finished, client);
  } catch (error) {
    if (error instanceof UpstreamError && error.reason === 'denied') return refuse(error.message);
    throw error;
  }
  // An ending first ends the sessions and then the connections. One that did not find this connection has ended the session.
  if (!(await isPresent())) {
    await connections.disconnect({ connector, accountId });
    return refuse('the person was signed out meanwhile');
  }
  const details = { connector, scopes: made.scopes, account: made.account.subject };
  stateOf(ctx).audit({ event: 'connection.made', outcome: 'ok', ...entry, details });
  return made;
}

/** What a person reads who came by a link. The failure itself is in the log already. */
export function connectionFailed({ title: provider }: OpenTools, refusal: NotConnected): PageError {
  const next = said('linkAgain');
  if (refusal === 'not theirs') {
    return new PageError(403, 'access_denied', said('connectionNotTheirs', { provider }), { next });
  }
  if (refusal.answer.error === 'access_denied') {
    return new PageError(403, 'access_denied', said('connectionDenied', { provider }), { next });
  }
  return new PageError(503, 'temporarily_unavailable', said('connectionFailed', { provider }), { next });
}
