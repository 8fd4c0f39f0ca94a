/**
 * Owns the engine's side of the sign-in page: it reads an authorization request for the page, and ends it in one of three ways.
 * Sign-in and consent end together (design: one interaction); the grant for the account is saved just before.
 */

import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { HttpExchange } from '@mcp-oauth/shared/http/exchange';
import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { type Client, errors, type InteractionResults } from 'oidc-provider';
import type { ClientDocuments } from '../../client-documents/client-documents.ts';
import { DEVICE_GRANT } from '../../clients/client.ts';
import { remember } from '../../consent/approval.ts';
import type { Interactions, PendingInteraction } from '../../consent/interaction.ts';
import type { Accounts } from '../../federation/account.ts';
import { type Said, said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import type { BrowserSessions } from '../../logout/browser-sessions.ts';
import type { SignedOut } from '../../logout/signed-out.ts';
import { approvalsOf, organisationOf, renewApproval, setApprovals, setOrganisation } from '../overrides/approvals.ts';
import { GrantRevoked } from '../records/grants.ts';
import { indicators } from '../resource-indicators.ts';
import { leaveOut } from './left-out.ts';
import { type PendingDependencies, pendingOf, requested, text } from './pending.ts';
import { NOTHING_PERMITTED, type PermittedDependencies, permittedFor } from './permitted.ts';
import { SELECT_ACCOUNT } from './policy.ts';
import { wordsForLostSession } from './session-lost.ts';

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

const signInError = (text: Said, reason: string, cause?: unknown): PageError =>
  new PageError(400, 'invalid_request', text, { reason, cause });

interface Dependencies extends PendingDependencies, PermittedDependencies {
  readonly accounts: Accounts;
  readonly provider: Provider;
  readonly clientDocuments: Pick<ClientDocuments, 'copiedAt'>;
  readonly sessions: Pick<BrowserSessions, 'end'>;
  readonly signedOut: Pick<SignedOut, 'includes'>;
  readonly clock: Clock;
}

export function createInteractions(dependencies: Dependencies): Interactions {
  const { provider, accounts, clientDocuments, sessions, signedOut } = dependencies;
  const read = async ({ req, res }: HttpExchange, uid = ''): Promise<Details> => {
    try {
      return await provider.interactionDetails(req, res);
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error;
      throw signInError(
        await wordsForLostSession(provider, error, uid),
        error.error_description ?? error.message,
        error,
      );
    }
  };
  const finish = async ({ req, res }: HttpExchange, result: InteractionResults) => {
    res.setHeader('Cache-Control', 'no-store');
    await provider.interactionFinished(req, res, result);
  };
  return {
    find: async (exchange, uid) => {
      const pending = await describe(await read(exchange, uid), dependencies);
      const copiedAt = clientDocuments.copiedAt(pending.client.id);
      return { ...pending, client: { ...pending.client, copiedAt } };
    },
    approve: async (exchange, approved, { accountId, organisation, since, upstreamSession }) => {
      const details = await read(exchange);
      if (since !== undefined && (await signedOut.includes({ accountId, since, upstreamSession }))) {
        return finish(exchange, SIGNED_OUT);
      }
      // The page may have been shown before anybody knew who the person is.
      const shown = permittedFor(await accounts.find(accountId), approved, dependencies);
      if (!shown) return finish(exchange, NOTHING_PERMITTED);
      if (shown.scopes.length === 0 && shown.leftOut?.length) return finish(exchange, NOTHING_CHOSEN);
      await narrow(details, shown);
      const session = await leaveOtherAccount(exchange, details, accountId, provider);
      // The grant of the current session: another tab may have approved something since this page was shown.
      const known = session?.grantIdFor(shown.client.id) ?? details.grantId;
      const mine = { ...shown, accountId, organisation };
      const grantId = await grant({ params: details.params, grantId: known }, mine, dependencies);
      const login = since === undefined ? undefined : { accountId, ts: since, upstreamSession };
      await finish(exchange, { ...(login && { login }), [SELECT_ACCOUNT]: {}, consent: { grantId } });
    },
    signOut: async (exchange) => {
      const details = await read(exchange);
      await sessions.end(exchange);
      await continueWithout(details);
    },
    refuse: (exchange, error, description) => finish(exchange, { error, error_description: description }),
  };
}

/** The request becomes what was approved, so that an earlier approval of this client adds nothing to its token. */
async function narrow(details: Details, { scopes, ownScopes = [] }: PendingInteraction): Promise<void> {
  const scope = [...scopes.map(({ name }) => name), ...ownScopes].join(' ');
  if (scope === details.params.scope) return;
  details.params.scope = scope;
  await details.persist();
}

/** RFC 6749 §4.1.2.1 */
const NOTHING_CHOSEN = { error: 'access_denied', error_description: 'The user allowed none of the requested scopes.' };

/** A logout at the upstream arrived after its answer and before this end, which would otherwise approve anew. */
const SIGNED_OUT = {
  error: 'access_denied',
  error_description: 'The user signed out at the identity provider during this sign-in.',
};

async function describe(details: Details, { provider, ...dependencies }: Dependencies): Promise<PendingInteraction> {
  const client = await provider.Client.find(text(details.params.client_id));
  if (!client) throw signInError(said('clientGone'), 'the client is no longer registered');
  const userCode = await destinationOf(details, client, provider);
  const accountId = details.prompt.name === 'login' ? undefined : details.session?.accountId;
  const pending = pendingOf({ uid: details.uid, client, params: details.params, accountId, userCode }, dependencies);
  const account = accountId === undefined ? undefined : await dependencies.accounts.find(accountId);
  const permitted = permittedFor(account, pending, dependencies);
  // Another account may have what this one may not, so only this one is not offered.
  if (!permitted) return { ...pending, accountId: undefined, choosesAccount: true };
  return { ...permitted, choosesAccount: details.prompt.name === SELECT_ACCOUNT };
}

/**
 * The engine checks where the answer goes when the request arrives, but not again after the page.
 * @returns the code of the device that waits for the answer, if a device asks
 */
async function destinationOf({ deviceCode, params }: Details, client: Client, provider: Provider) {
  if (deviceCode === undefined) {
    if (client.redirectUriAllowed(text(params.redirect_uri))) return undefined;
    throw signInError(said('addressGone'), 'the redirect URI is no longer registered');
  }
  if (!client.grantTypeAllowed(DEVICE_GRANT)) {
    throw signInError(said('clientGone'), 'the client may no longer use the device authorization grant');
  }
  const device = await provider.DeviceCode.find(deviceCode);
  if (device?.userCode === undefined || device.accountId !== undefined || device.error !== undefined) {
    throw signInError(said('deviceOver'), 'the device code has expired, or its request has ended');
  }
  return device.userCode;
}

/**
 * Another person signs in with the same browser: the session of the first person ends here. Otherwise the engine would show a
 * logout page that needs scripts.
 * @returns the session that continues
 */
async function leaveOtherAccount({ req, res }: HttpExchange, details: Details, accountId: string, provider: Provider) {
  const session = await provider.Session.get(provider.createContext(req, res) as Context);
  if (session.accountId === undefined || session.accountId === accountId) return session;
  await session.destroy();
  await continueWithout(details);
  return undefined;
}

/** The request no longer belongs to the session, nor to what was approved in it. */
async function continueWithout(details: Details): Promise<void> {
  delete details.session;
  delete details.grantId;
  await details.persist();
}

type Approved = PendingInteraction & { readonly accountId: string; readonly organisation: string | undefined };
type Requested = Pick<Details, 'params'> & { readonly grantId: string | undefined };

/** The grant of this account and client: the one of the session if there is one. */
async function grant(details: Requested, shown: Approved, dependencies: Dependencies): Promise<string> {
  const { provider } = dependencies;
  const { accountId, client } = shown;
  const known = details.grantId === undefined ? undefined : await provider.Grant.find(details.grantId);
  const fresh = () => new provider.Grant({ accountId, clientId: client.id });
  const actsForSame = shown.organisation === undefined || shown.organisation === organisationOf(known);
  // Another organisation gets a grant of its own: tokens of the earlier one go on to name theirs.
  const mine = known?.accountId === accountId && known.clientId === client.id && actsForSame;
  try {
    return await approve(known && mine ? known : fresh(), shown, details, dependencies);
  } catch (error) {
    if (!(error instanceof GrantRevoked)) throw error;
    // The earlier grant was revoked, so the new approval gets a grant of its own.
    return approve(fresh(), shown, details, dependencies);
  }
}

type Grant = InstanceType<Provider['Grant']>;

/** An approval restarts the lifetime of a grant. A scope that the resource added after the page was shown is not granted. */
function approve(
  approved: Grant,
  shown: Approved,
  { params }: Requested,
  { resources, clock }: Pick<Dependencies, 'resources' | 'clock'>,
): Promise<string> {
  const { resource } = requested(params, resources);
  const scopes = shown.scopes.map(({ name }) => name);
  renewApproval(approved, shown.userCode === undefined ? 'browser' : 'device', seconds(clock));
  setApprovals(approved, remember(approvalsOf(approved), shown));
  if (shown.organisation !== undefined) setOrganisation(approved, shown.organisation);
  approved.addOIDCScope([...scopes, ...(shown.ownScopes ?? [])]);
  // Under every identifier of the resource: the engine compares strings, and would otherwise ask again for each spelling.
  const identifiers = new Set([...resource.identifiers, ...indicators(params.resource)]);
  for (const identifier of identifiers) approved.addResourceScope(identifier, scopes);
  leaveOut(approved, (identifier) => resources.find(identifier) === resource, shown.leftOut);
  return approved.save();
}
