/** Owns how a client names and authenticates itself at an endpoint of its authorization server (RFC 6749 §2.3.1, RFC 7523 §2.2). */
import { StartError } from '@mcp-oauth/shared/errors';
import { selectClientAuthMethod } from '@modelcontextprotocol/client';
import type { Endpoint } from './key.ts';
import type { Registered } from './registration.ts';
import { basicOf } from './secret.ts';

const WITH_SECRET = ['client_secret_basic', 'client_secret_post'];
const WITH_KEY = 'private_key_jwt';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Adds what names the client, as the metadata of the endpoint wants it. Without metadata it is Basic (RFC 8414 §2).
 *
 * @throws StartError for a client with a secret or key where none is accepted
 */
async function authenticate(
  client: Registered,
  endpoint: Endpoint,
  { headers, body }: { readonly headers: Headers; readonly body: URLSearchParams },
): Promise<void> {
  const { client_id: id, client_secret: secret, client_key: key } = client;
  const { methods: supported } = endpoint;
  if (key) {
    if (supported?.includes(WITH_KEY) === false) {
      throw new StartError(`the authorization server takes no ${WITH_KEY}, only ${supported.join(', ')}`);
    }
    body.set('client_id', id);
    body.set('client_assertion_type', ASSERTION_TYPE);
    body.set('client_assertion', await key.assertionOf(id, endpoint));
    return;
  }
  const method = selectClientAuthMethod(client, [...(supported ?? [])]);
  // What a registration says of its own client was settled by the server.
  const isRegistered = 'token_endpoint_auth_method' in client || 'redirect_uris' in client;
  if (secret === undefined || (method === 'none' && isRegistered)) {
    body.set('client_id', id);
    return;
  }
  if (supported?.some((name) => WITH_SECRET.includes(name)) === false) {
    throw new StartError(`the authorization server takes no client secret, only ${supported.join(', ')}`);
  }
  if (method === 'client_secret_basic') {
    headers.set('authorization', `Basic ${basicOf(id, secret)}`);
  } else {
    body.set('client_id', id);
    body.set('client_secret', secret);
  }
}

/** A request with a form. */
export async function formOf(
  client: Registered,
  endpoint: Endpoint,
  fields: Readonly<Record<string, string | undefined>>,
): Promise<RequestInit> {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value);
  const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' });
  await authenticate(client, endpoint, { headers, body });
  return { method: 'POST', body, headers, redirect: 'manual' };
}

/** The same for a request of the SDK, which does not encode the two halves of Basic. */
export const authenticationOf =
  (client: Registered) =>
  (headers: Headers, body: URLSearchParams, url: string | URL, metadata?: TokenMetadata): Promise<void> =>
    authenticate(client, tokenEndpoint(url, metadata), { headers, body });

interface TokenMetadata {
  readonly issuer: string;
  readonly token_endpoint_auth_methods_supported?: readonly string[] | undefined;
  readonly token_endpoint_auth_signing_alg_values_supported?: readonly string[] | undefined;
}

/** An endpoint for which the metadata of the token endpoint holds. */
export const tokenEndpoint = (url: string | URL, metadata: TokenMetadata | undefined): Endpoint => ({
  url,
  issuer: metadata?.issuer,
  methods: metadata?.token_endpoint_auth_methods_supported,
  algorithms: metadata?.token_endpoint_auth_signing_alg_values_supported,
});
