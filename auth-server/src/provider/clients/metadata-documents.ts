/**
 * Owns how the engine gets client metadata documents (draft-ietf-oauth-client-id-metadata-document): through our own reader and
 * cache, never by its own requests. Also owns the error for the client or the person if that fails.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import Provider, { type Configuration, errors } from 'oidc-provider';
import type { ClientDocuments } from '../../client-documents/client-documents.ts';
import type { Judge } from '../../client-documents/document.ts';
import { ClientDocumentError, type Outcome } from '../../client-documents/document-error.ts';
import { stateOf } from '../../context-state.ts';
import { usableKeys } from './keys.ts';

interface Dependencies {
  readonly clientDocuments: ClientDocuments;
  readonly judge: Judge;
}

type Feature = NonNullable<NonNullable<Configuration['features']>['clientIdMetadataDocument']>;

/** Routes whose answers are for programs. */
const CLIENT_ROUTES = new Set(['token', 'revocation']);

/** The address that the limits count, from the request context of the engine. */
const caller = (): string | undefined => Provider.ctx && stateOf(Provider.ctx).clientAddress;

/**
 * The engine pins the draft by name; an update needs a review of its changes. The engine's own cache is off: it supports neither
 * revalidation nor outages.
 */
export const clientIdMetadataDocuments = ({ clientDocuments, judge }: Dependencies): Feature => ({
  enabled: true,
  ack: 'draft-02',
  cacheDuration: { min: 0, max: 0 },
  // Called before each use, so failures occur here, where we can still choose the answer.
  allowFetch: async (_ctx, clientId) => {
    try {
      await clientDocuments.metadata(clientId, judge, caller());
      return true;
    } catch (error) {
      throw error instanceof ClientDocumentError ? answerTo(error) : error;
    }
  },
});

/** The `fetch` of the engine: it requests documents (without redirects) and key sets only. */
export function createFetch({ clientDocuments, judge }: Dependencies): NonNullable<Configuration['fetch']> {
  return async (input, { method, redirect } = {}) => {
    const url = String(input);
    if (method !== 'GET') throw new TypeError(`unexpected ${method ?? 'unspecified'} request to ${url}`);
    const document =
      redirect === 'manual'
        ? await clientDocuments.metadata(url, judge, caller())
        : usableKeys(await clientDocuments.keySet(url, caller()));
    return Response.json(document);
  };
}

/** An error of RFC 6749 §5.2 for a client, a page for a person. A limit is temporary and not the fault of the client. */
function answerTo(failure: ClientDocumentError): Error {
  const { title, message } = wordsForDocument(failure);
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

/** Who has to act if a host cannot be read: the status decides. Network errors are for the log only. */
function unreachable(host: string, status: number | undefined): Words {
  const title = 'This app could not be checked';
  const claim = `The app claims to be published by ${host}`;
  if (status === undefined) {
    const next =
      'Go back to the app and try again in a minute. If the problem persists, tell the operator of this server.';
    return { title, message: `${claim}, but this server could not reach ${host}. ${next}` };
  }
  if (status >= 500) {
    const next =
      'Go back to the app and try again in a few minutes. If the problem persists, tell the maker of the app.';
    return { title, message: `${claim}, but ${host} answered with a server error. ${next}` };
  }
  const next = 'Trying again will probably not help. Tell the operator of this server.';
  return { title, message: `${claim}, but ${host} does not give this server the document. ${next}` };
}

const WORDS: Readonly<Record<Outcome, (host: string, status: number | undefined) => Words>> = {
  refused: (host) => ({
    title: 'This app is not accepted here',
    message: `This server does not accept apps that are published by ${host}. Nothing was sent there. If you need the app, ask the operator of this server.`,
  }),
  unreachable,
  unusable: (host) => ({
    title: 'This app could not be checked',
    message: `The app claims to be published by ${host}, but its document there is missing or invalid. Trying again will not help until the maker of the app has fixed it, so tell them.`,
  }),
  limited: (host) => ({
    title: 'Too many apps at once',
    message: `This server got requests from too many new apps, or too many for ${host}. Wait a moment, then go back to the app and try again.`,
  }),
};

export const wordsForDocument = ({ outcome, host, status }: ClientDocumentError): Words =>
  WORDS[outcome](host || 'that address', status);
