/** Owns how a client names and authenticates itself at an endpoint of its authorization server (RFC 6749 §2.3.1). */
import { StartError } from '@mcp-oauth/shared/errors';
import { type OAuthClientInformationMixed, selectClientAuthMethod } from '@modelcontextprotocol/client';

type Client = OAuthClientInformationMixed;

const WITH_SECRET = ['client_secret_basic', 'client_secret_post'];

/**
 * Adds what names the client, as the metadata of the endpoint wants it. Without metadata it is Basic (RFC 8414 §2).
 *
 * @throws StartError for a client with a secret where none is accepted
 */
function authenticate(
  client: Client,
  supported: readonly string[] | undefined,
  { headers, body }: { readonly headers: Headers; readonly body: URLSearchParams },
): void {
  const { client_id: id, client_secret: secret } = client;
  const method = selectClientAuthMethod(client, [...(supported ?? [])]);
  // What a registration says of its own client was settled by the server.
  const isRegistered = 'token_endpoint_auth_method' in client;
  if (secret === undefined || (method === 'none' && isRegistered)) {
    body.set('client_id', id);
    return;
  }
  if (supported?.some((name) => WITH_SECRET.includes(name)) === false) {
    throw new StartError(`the authorization server takes no client secret, only ${supported.join(', ')}`);
  }
  if (method === 'client_secret_basic') {
    const pair = [id, secret].map((part) => new URLSearchParams({ _: part }).toString().slice(2)).join(':');
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  } else {
    body.set('client_id', id);
    body.set('client_secret', secret);
  }
}

/** A request with a form. */
export function formOf(
  client: Client,
  supported: readonly string[] | undefined,
  fields: Readonly<Record<string, string | undefined>>,
): RequestInit {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value);
  const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' });
  authenticate(client, supported, { headers, body });
  return { method: 'POST', body, headers, redirect: 'manual' };
}

/** The same for a request of the SDK, which does not encode the two halves of Basic. */
export const authenticationOf =
  (client: Client) =>
  (
    headers: Headers,
    body: URLSearchParams,
    _url: unknown,
    metadata?: { readonly token_endpoint_auth_methods_supported?: readonly string[] | undefined },
  ): void =>
    authenticate(client, metadata?.token_endpoint_auth_methods_supported, { headers, body });
