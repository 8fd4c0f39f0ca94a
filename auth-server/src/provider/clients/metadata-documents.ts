/**
 * Owns how the engine gets client metadata documents (draft-ietf-oauth-client-id-metadata-document): through our own reader and
 * cache, never by its own requests. Also owns the error for the client or the person if that fails.
 */
import Provider, { type Configuration, errors } from 'oidc-provider';
import type { ClientDocuments } from '../../client-documents/client-documents.ts';
import type { Judge } from '../../client-documents/document.ts';
import { ClientDocumentError, type Outcome } from '../../client-documents/document-error.ts';
import { stateOf } from '../../context-state.ts';
import { english } from '../../languages/english.ts';
import { inWords, type Said, said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
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
    return new PageError(429, 'too_many_requests', message, { reason: failure.message, headers, cause: failure });
  }
  const route = Provider.ctx?.oidc.route;
  if (route === undefined) {
    return new PageError(400, 'invalid_client', message, { reason: failure.message, cause: failure });
  }
  return CLIENT_ROUTES.has(route)
    ? new errors.InvalidClientAuth({ cause: failure })
    : new errors.InvalidClient(inWords(english, title), { cause: failure });
}

interface Words {
  readonly title: Said;
  readonly message: Said;
}

/** Who has to act if a host cannot be read: the status decides. Network errors are for the log only. */
function unreachable(host: string, status: number | undefined): Words {
  const title = said('notCheckedTitle');
  if (status === undefined) return { title, message: said('notReached', { host }) };
  return { title, message: said(status >= 500 ? 'hostFailed' : 'documentWithheld', { host }) };
}

const WORDS: Readonly<Record<Outcome, (host: string, status: number | undefined) => Words>> = {
  refused: (host) =>
    // Without a host there is no address: the app is as unknown as any other.
    host === ''
      ? { title: said('unknownAppTitle'), message: said('unknownApp') }
      : { title: said('notAcceptedTitle'), message: said('notAccepted', { host }) },
  unreachable,
  unusable: (host) => ({ title: said('notCheckedTitle'), message: said('documentUnusable', { host }) }),
  limited: (host) => ({ title: said('tooManyAppsTitle'), message: said('tooManyApps', { host }) }),
};

export const wordsForDocument = ({ outcome, host, status }: ClientDocumentError): Words => WORDS[outcome](host, status);
