/**
 * Owns the engine's side of the sign-in page: an authorization request read for the page, and its three endings. Sign-in and
 * consent end together (design: one interaction), with a Grant made for that account just before.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { errors, type InteractionResults } from 'oidc-provider';
import type { ClientDocuments } from '../../client-documents/client-documents.ts';
import { remember } from '../../consent/approval.ts';
import type { Exchange, Interactions, PendingInteraction } from '../../consent/interaction.ts';
import { BROKEN_OFF } from '../../consent/sign-in-errors.ts';
import type { Resources } from '../../resources/resource.ts';
import { approvalsOf, setApprovals } from '../overrides/approvals.ts';
import { GrantRevoked } from '../records/grants.ts';
import { indicators } from '../resource-indicators.ts';
import { type PendingParts, pendingOf, requested, text } from './pending.ts';
import { SELECT_ACCOUNT } from './policy.ts';
import { wordsFor } from './session-lost.ts';

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

const brokenOff = (message: string, reason: string, cause?: unknown): HttpError =>
  new HttpError(400, 'invalid_request', message, { reason, cause });

interface Parts extends PendingParts {
  readonly provider: Provider;
  readonly clientDocuments: Pick<ClientDocuments, 'copiedAt'>;
}

export function createInteractions(parts: Parts): Interactions {
  const { provider, clientDocuments } = parts;
  const read = async ({ req, res }: Exchange, uid = ''): Promise<Details> => {
    try {
      return await provider.interactionDetails(req, res);
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error;
      throw brokenOff(await wordsFor(provider, error, uid), error.error_description ?? error.message, error);
    }
  };
  const finish = async ({ req, res }: Exchange, result: InteractionResults) => {
    res.setHeader('Cache-Control', 'no-store');
    await provider.interactionFinished(req, res, result);
  };
  return {
    find: async (exchange, uid) => {
      const pending = await describe(await read(exchange, uid), parts);
      const copiedAt = clientDocuments.copiedAt(pending.client.id);
      return { ...pending, client: { ...pending.client, copiedAt } };
    },
    approve: async (exchange, shown, accountId) => {
      const details = await read(exchange);
      const session = await leaveOtherAccount(exchange, details, accountId, provider);
      // That of the session as it is now: another tab may have approved something since this page was shown.
      const known = session?.grantIdFor(shown.client.id) ?? details.grantId;
      const grantId = await grant({ params: details.params, grantId: known }, { ...shown, accountId }, parts);
      const signsIn = details.prompt.name === 'login' || details.session?.accountId !== accountId;
      await finish(exchange, { ...(signsIn && { login: { accountId } }), [SELECT_ACCOUNT]: {}, consent: { grantId } });
    },
    refuse: (exchange, error, description) => finish(exchange, { error, error_description: description }),
  };
}

async function describe(details: Details, { provider, ...parts }: Parts): Promise<PendingInteraction> {
  const client = await provider.Client.find(text(details.params.client_id));
  if (!client) throw brokenOff(BROKEN_OFF.clientGone, 'the client is no longer registered');
  // The engine compares it when the request comes in, and not again after the page.
  if (!client.redirectUriAllowed(text(details.params.redirect_uri))) {
    throw brokenOff(BROKEN_OFF.addressGone, 'the redirect URI is no longer registered');
  }
  const accountId = details.prompt.name === 'login' ? undefined : details.session?.accountId;
  const pending = pendingOf({ uid: details.uid, client, params: details.params, accountId }, parts);
  return { ...pending, choosesAccount: details.prompt.name === SELECT_ACCOUNT };
}

/**
 * One browser, another person: the session of the first ends here. Left alone, the engine would put a logout page that
 * needs scripts between the two.
 * @returns the session that goes on
 */
async function leaveOtherAccount({ req, res }: Exchange, details: Details, accountId: string, provider: Provider) {
  const session = await provider.Session.get(provider.createContext(req, res) as Context);
  if (session.accountId === undefined || session.accountId === accountId) return session;
  await session.destroy();
  delete details.session;
  await details.persist();
  return undefined;
}

type Approved = PendingInteraction & { readonly accountId: string };
type Requested = Pick<Details, 'params'> & { readonly grantId: string | undefined };

/** The grant of this account and client, the one of the session where there is one. */
async function grant(details: Requested, shown: Approved, { provider, resources }: Parts): Promise<string> {
  const { accountId, client } = shown;
  const known = details.grantId === undefined ? undefined : await provider.Grant.find(details.grantId);
  const fresh = () => new provider.Grant({ accountId, clientId: client.id });
  const mine = known?.accountId === accountId && known.clientId === client.id;
  try {
    return await approve(known && mine ? known : fresh(), shown, details, resources);
  } catch (error) {
    if (!(error instanceof GrantRevoked)) throw error;
    // What is approved now is approved: on its own, as nothing of before holds any more.
    return approve(fresh(), shown, details, resources);
  }
}

type Grant = InstanceType<Provider['Grant']>;

/** Approval starts the lifetime of a grant anew. What the page did not show, because the resource got it since, is not granted. */
function approve(approved: Grant, shown: Approved, { params }: Requested, resources: Resources): Promise<string> {
  const { resource } = requested(params, resources);
  const scopes = shown.scopes.map(({ name }) => name);
  Reflect.deleteProperty(approved, 'exp');
  setApprovals(approved, remember(approvalsOf(approved), shown));
  approved.addOIDCScope([...scopes, ...(shown.ownScopes ?? [])]);
  // Under every name that a client may use for the resource: the engine compares strings, and would ask again without end.
  for (const identifier of new Set([...resource.identifiers, ...indicators(params.resource)])) {
    approved.addResourceScope(identifier, scopes);
  }
  return approved.save();
}
