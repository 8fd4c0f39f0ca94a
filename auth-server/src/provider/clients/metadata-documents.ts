/**
 * Owns how the engine gets to what clients publish about themselves (draft-ietf-oauth-client-id-metadata-document): through
 * our own reader and cache, never by itself; and what a client or a person is told where that fails.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import Provider, { type Configuration, errors } from 'oidc-provider';
import type { ClientDocuments } from '../../client-documents/client-documents.ts';
import type { Judge } from '../../client-documents/document.ts';
import { ClientDocumentError, type Outcome } from '../../client-documents/document-error.ts';
import { stateOf } from '../../context-state.ts';
import { usableKeys } from './keys.ts';

interface Parts {
  readonly clientDocuments: ClientDocuments;
  readonly judge: Judge;
}

type Feature = NonNullable<NonNullable<Configuration['features']>['clientIdMetadataDocument']>;

/** Where the answer is for a program. */
const CLIENT_ROUTES = new Set(['token', 'revocation']);

/** The address that the limits count; the engine keeps the context of the request. */
const caller = (): string | undefined => Provider.ctx && stateOf(Provider.ctx).clientAddress;

/**
 * The engine pins the draft by name; another one needs a look at what changed. Its own cache is off: it knows neither
 * revalidation nor outages.
 */
export const clientIdMetadataDocuments = ({ clientDocuments, judge }: Parts): Feature => ({
  enabled: true,
  ack: 'draft-02',
  cacheDuration: { min: 0, max: 0 },
  // Asked before each use, so what fails fails here, where the answer can still be chosen.
  allowFetch: async (_ctx, clientId) => {
    try {
      await clientDocuments.metadata(clientId, judge, caller());
      return true;
    } catch (error) {
      throw error instanceof ClientDocumentError ? answerTo(error) : error;
    }
  },
});

/** What the engine uses as `fetch`: it asks for documents without redirects, and for nothing else but key sets. */
export function createFetch({ clientDocuments, judge }: Parts): NonNullable<Configuration['fetch']> {
  return async (input, { method, redirect } = {}) => {
    const url = String(input);
    if (method !== 'GET') throw new TypeError(`nothing is sent to ${url}`);
    const document =
      redirect === 'manual'
        ? await clientDocuments.metadata(url, judge, caller())
        : usableKeys(await clientDocuments.keySet(url, caller()));
    return Response.json(document);
  };
}

/** RFC 6749 §5.2 for a client, a page for a person; a limit is nobody's fault, and passes. */
function answerTo(failure: ClientDocumentError): Error {
  const { title, message } = wordsFor(failure);
  const headers = { 'Retry-After': String(failure.retryAfter ?? 60) };
  if (failure.outcome === 'limited') {
    return new HttpError(429, 'too_many_requests', message, { reason: failure.message, headers, cause: failure });
  }
  const route = Provider.ctx?.oidc.route;
  if (route === undefined) {
    return new HttpError(400, 'invalid_client', message, { reason: failure.message, cause: failure });
  }
  return CLIENT_ROUTES.has(route)
    ? new errors.InvalidClientAuth({ cause: failure })
    : new errors.InvalidClient(title, { cause: failure });
}

interface Words {
  readonly title: string;
  readonly message: string;
}

/** Whose turn it is when a host can't be asked: its status tells; the network's own reasons are for the log. */
function unreachable(host: string, status: number | undefined): Words {
  const title = 'This app could not be checked';
  const claim = `The app says that ${host} vouches for it`;
  if (status === undefined) {
    const next =
      'Go back to the app and try again in a minute. If it stays like this, tell the operator of this server.';
    return { title, message: `${claim}, but this server could not reach ${host} just now. ${next}` };
  }
  if (status >= 500) {
    const next = 'Go back to the app and try again in a few minutes. If it stays like this, tell the maker of the app.';
    return { title, message: `${claim}, but ${host} has trouble of its own just now. ${next}` };
  }
  const next = 'Trying again will hardly help. Tell the operator of this server, who can look into it.';
  return { title, message: `${claim}, but ${host} does not let this server read that. ${next}` };
}

const WORDS: Readonly<Record<Outcome, (host: string, status: number | undefined) => Words>> = {
  refused: (host) => ({
    title: 'This app is not accepted here',
    message: `This server does not take the word of ${host} for an app. Nothing was sent there. If you need the app, ask the operator of this server.`,
  }),
  unreachable,
  unusable: (host) => ({
    title: 'This app could not be checked',
    message: `The app says that ${host} vouches for it, but what stands there is missing or can’t be used. Trying again will not help until the maker of the app has mended it, so tell them.`,
  }),
  limited: (host) => ({
    title: 'Too many apps at once',
    message: `This server was asked about too many new apps, or too often about ${host}. Wait a little, then go back to the app and try again.`,
  }),
};

export const wordsFor = ({ outcome, host, status }: ClientDocumentError): Words =>
  WORDS[outcome](host || 'that address', status);
