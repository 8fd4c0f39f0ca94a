/**
 * Owns the engine's side of the sign-in page: an authorization request read for the page, and its three endings. Sign-in and
 * consent end together (design: one interaction), with a Grant made for that account just before.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { errors, type InteractionResults } from 'oidc-provider';
import type { Exchange, Interactions, PendingInteraction } from '../../consent/interaction.ts';
import type { Resource, Resources } from '../../consent/resource.ts';
import { resourceScopes } from '../../consent/scope.ts';
import { GrantRevoked } from '../records/grants.ts';
import { indicators } from '../resources.ts';

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

const over = (reason: string, cause?: unknown): HttpError =>
  new HttpError(400, 'invalid_request', 'This sign-in is over: it took too long or was already finished.', {
    reason,
    cause,
  });

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export function createInteractions(provider: Provider, resources: Resources): Interactions {
  const read = async ({ req, res }: Exchange): Promise<Details> => {
    try {
      return await provider.interactionDetails(req, res);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) throw over(error.error_description ?? error.message, error);
      throw error;
    }
  };
  const finish = async ({ req, res }: Exchange, result: InteractionResults) => {
    res.setHeader('Cache-Control', 'no-store');
    await provider.interactionFinished(req, res, result);
  };
  return {
    find: async (exchange) => describe(await read(exchange), provider, resources),
    approve: async (exchange, accountId) => {
      const details = await read(exchange);
      await leaveOtherAccount(exchange, details, accountId, provider);
      const grantId = await grant(details, accountId, provider, resources);
      const signsIn = details.prompt.name === 'login' || details.session?.accountId !== accountId;
      await finish(exchange, { ...(signsIn && { login: { accountId } }), consent: { grantId } });
    },
    refuse: (exchange, error, description) => finish(exchange, { error, error_description: description }),
  };
}

async function describe(details: Details, provider: Provider, resources: Resources): Promise<PendingInteraction> {
  const client = await provider.Client.find(text(details.params.client_id));
  if (!client) throw over('the client is no longer registered');
  const { identifier, resource, scope } = requested(details, resources);
  return {
    uid: details.uid,
    client: { id: client.clientId, name: client.clientName, host: publisher(client) },
    redirectUri: text(details.params.redirect_uri),
    resource: { identifier, name: resource.name },
    scopes: resourceScopes(scope, resource).map((name) => ({ name, description: resource.scopes[name] ?? name })),
    accountId: details.prompt.name === 'login' ? undefined : details.session?.accountId,
  };
}

/** The host that vouches for a client which is known by the URL of its document: https says so, not the client. */
const publisher = (client: object & { readonly clientId: string }): string | undefined =>
  Reflect.get(client, 'clientIdMetadataDocument') === true ? URL.parse(client.clientId)?.host : undefined;

/** What is asked for; the engine has already refused what this server does not know. */
function requested(
  { params }: Details,
  resources: Resources,
): { identifier: string; resource: Resource; scope: string } {
  const spellings = indicators(params.resource);
  const resource = resources.find(spellings[0] ?? '') ?? resources.default;
  return { identifier: resource.identifiers[0], resource, scope: text(params.scope) };
}

/**
 * One browser, another person: the session of the first ends here. Left alone, the engine would put a logout page that
 * needs scripts between the two.
 */
async function leaveOtherAccount({ req, res }: Exchange, details: Details, accountId: string, provider: Provider) {
  const session = await provider.Session.get(provider.createContext(req, res) as Context);
  if (session.accountId === undefined || session.accountId === accountId) return;
  await session.destroy();
  delete details.session;
  await details.persist();
}

/** The grant of this account and client, the one of the session where there is one. */
async function grant(details: Details, accountId: string, provider: Provider, resources: Resources): Promise<string> {
  const known = details.grantId === undefined ? undefined : await provider.Grant.find(details.grantId);
  const fresh = () => new provider.Grant({ accountId, clientId: text(details.params.client_id) });
  const mine = known?.accountId === accountId && known.clientId === text(details.params.client_id);
  try {
    return await approve(known && mine ? known : fresh(), details, resources);
  } catch (error) {
    if (!(error instanceof GrantRevoked)) throw error;
    // What is approved now is approved: on its own, as nothing of before holds any more.
    return approve(fresh(), details, resources);
  }
}

type Grant = InstanceType<Provider['Grant']>;

/** Approval starts the lifetime of a grant anew. */
function approve(approved: Grant, details: Details, resources: Resources): Promise<string> {
  const { resource, scope } = requested(details, resources);
  Reflect.deleteProperty(approved, 'exp');
  approved.addOIDCScope(scope);
  // Under every name that a client may use for the resource: the engine compares strings, and would ask again without end.
  for (const identifier of new Set([...resource.identifiers, ...indicators(details.params.resource)])) {
    approved.addResourceScope(identifier, [...resourceScopes(scope, resource)]);
  }
  return approved.save();
}
