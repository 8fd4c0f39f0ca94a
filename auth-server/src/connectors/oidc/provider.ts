/**
 * Owns the connection to one OpenID provider: its metadata and keys, each cached as long as the provider says and renewed after a
 * failed sign-in, and the requests of openid-client, which go to the URL at which this server reaches the provider.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { freshFor } from '@mcp-oauth/shared/documents/freshness';
import { type PublicKey, readKeySet } from '@mcp-oauth/shared/documents/key-set';
import { createPlace } from '@mcp-oauth/shared/network/place';
import * as oidc from 'openid-client';
import { type ConnectorContext, UpstreamError } from '../../federation/connector.ts';
import { innermost } from '../../federation/failure.ts';
import { BOUNDS, type Loaded, type Remembered, remembered } from '../../federation/upstream/remembered.ts';
import { createUpstreamFetch, endingWith } from '../../federation/upstream/upstream-fetch.ts';
import { readSignedUserInfo } from './id-token.ts';
import { ASYMMETRIC, type ProviderMetadata, readMetadata } from './metadata.ts';
import type { Quirks } from './quirks.ts';
import type { OidcSettings } from './settings.ts';
import { readTokenAnswer } from './token-answer.ts';

export interface Upstream extends ProviderMetadata {
  /** The metadata in the form of openid-client. */
  readonly configuration: oidc.Configuration;
  /** The same provider, whose token endpoint and userinfo are asked until the signal ends it. */
  until(end: AbortSignal): Upstream;
}

export interface Provider {
  readonly metadata: Remembered<Upstream>;
  readonly keys: Remembered<readonly PublicKey[]>;
  /** Call after a failed sign-in: cached metadata or keys may be the cause. Never fails. */
  renew(): Promise<void>;
}

/** A provider may send logout tokens without saying so, so this is no refusal. */
const UNSENT =
  'LOGOUT_ENDS_APPROVALS may have no effect: the metadata of the provider has no backchannel_logout_supported';

export function createProvider(values: OidcSettings, context: ConnectorContext, quirks: Quirks): Provider {
  const { clock = systemClock, onTrouble } = context;
  // The full URL, because openid-client compares the issuer exactly, and operators often omit its trailing slash.
  const published = `${values.issuer}/.well-known/openid-configuration`;
  const place = createPlace(values.issuer, values.internalUrl);
  const fetch = createUpstreamFetch(context.fetch, values.timeout);
  const clientAuth = quirks.clientAuth ?? authentication(values);
  const { acceptsIssuer } = quirks;

  async function read<T>(url: string, what: string, accept: (document: unknown) => T): Promise<Loaded<T>> {
    const target = place.inside(url);
    if (target === url && url.startsWith('http:') && values.issuer.startsWith('https:')) {
      throw new UpstreamError('unavailable', `the ${what} at ${url} is refused: it is not https`);
    }
    const response = await fetch(target, { headers: { accept: 'application/json' } });
    if (response.status !== 200) {
      const message = `the ${what} at ${target} can't be used: it answered ${response.status}`;
      throw new UpstreamError('unavailable', message, { status: response.status });
    }
    try {
      const value = accept(await response.json());
      return { value, freshFor: freshFor(Object.fromEntries(response.headers), BOUNDS) };
    } catch (cause) {
      const found = innermost(cause);
      const facts = found instanceof UpstreamError ? found.facts : {};
      throw new UpstreamError('unavailable', `the ${what} at ${target} can't be used: ${found.message}`, {
        ...facts,
        cause,
      });
    }
  }

  let isTold = false;
  function tellUnsent(): void {
    if (!isTold) onTrouble?.(UNSENT);
    isTold = true;
  }

  function configure(metadata: ProviderMetadata, end?: AbortSignal): Upstream {
    if (values.logoutEndsApprovals && !metadata.sendsLogoutTokens) tellUnsent();
    const configuration = new oidc.Configuration(metadata.server, values.clientId, {}, clientAuth);
    // Our own fetch has this timeout, and says in its error what took too long.
    configuration.timeout = 0;
    const send = endingWith(fetch, end);
    // openid-client works with the public URLs: it would refuse to send a secret to an internal http endpoint.
    configuration[oidc.customFetch] = async (target, options) => {
      const response = await send(place.inside(target), options as RequestInit);
      if (target === metadata.server.revocation_endpoint) return response;
      if (options.method === 'POST') return readTokenAnswer(response);
      // openid-client would fetch the keys again, and would require an algorithm that few providers announce.
      const isSigned = /^application\/jwt\b/i.test(response.headers.get('content-type') ?? '');
      if (!isSigned || !response.ok) return response;
      const signed = { issuer: metadata.issuer, clientId: values.clientId, algorithms: ASYMMETRIC, keys };
      return Response.json(await readSignedUserInfo(await response.text(), signed));
    };
    if (values.issuer.startsWith('http:')) oidc.allowInsecureRequests(configuration);
    return { ...metadata, configuration, until: (signal) => configure(metadata, signal) };
  }

  const remember = <T>(what: string, load: () => Promise<Loaded<T>>) =>
    remembered(load, {
      clock,
      onTrouble: (error) => onTrouble?.(`the previous ${what} stays in use: ${innermost(error).message}`),
    });
  const metadata = remember('metadata', () =>
    read(published, 'metadata', (document) =>
      configure(readMetadata(document, { issuer: values.issuer, place, acceptsIssuer })),
    ),
  );
  const keys = remember('key set', async () => read((await metadata.get()).jwksUri, 'key set', keysIn));
  return {
    metadata,
    keys,
    renew: async () => {
      try {
        await metadata.renew();
        await keys.renew();
      } catch {
        // The next sign-in tries again and reports the error.
      }
    },
  };
}

function keysIn(document: unknown): readonly PublicKey[] {
  const keys = readKeySet(document);
  if (!keys) throw new Error('it is not a JSON Web Key Set');
  return keys;
}

function authentication({ clientAuth, clientSecret = '' }: OidcSettings): oidc.ClientAuth {
  if (clientAuth === 'none') return oidc.None();
  return clientAuth === 'client_secret_post' ? oidc.ClientSecretPost(clientSecret) : basic(clientSecret);
}

/**
 * RFC 6749 §2.3.1. The function of openid-client also encodes hyphens and underscores, which are in most client ids and secrets: a
 * provider that does not decode the header would then refuse them.
 */
const basic =
  (clientSecret: string): oidc.ClientAuth =>
  (_server, { client_id: clientId }, _body, headers) =>
    headers.set('authorization', `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)}`);

export const formEncoded = (value: string): string => new URLSearchParams([['', value]]).toString().slice('='.length);

/** Renews cached metadata and keys after a failed sign-in, as they may be the cause. A denial, and the end of a session, are no failures. */
export async function renewing<T>(provider: Provider, work: () => Promise<T>): Promise<T> {
  try {
    return await translated(work);
  } catch (error) {
    if (!(error instanceof UpstreamError && ['denied', 'ended'].includes(error.reason)))
      provider.renew().catch(() => {});
    throw error;
  }
}

/** Converts every error of openid-client into an UpstreamError with the innermost cause. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const found = innermost(error);
    if (found instanceof UpstreamError) throw found;
    throw new UpstreamError('invalid_answer', `the answer of the upstream is invalid: ${found.message}`, {
      cause: error,
    });
  }
}
