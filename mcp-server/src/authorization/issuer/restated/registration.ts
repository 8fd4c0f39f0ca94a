/**
 * Owns the answer to a client that registers (RFC 7591) where one client is registered for all at the issuer: its id, without a secret.
 * Nothing is stored, and a redirect URI that the issuer does not know is refused before a person meets an error page there.
 */
import type { StaticClient } from './metadata.ts';

interface Registered {
  readonly client_id: string;
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly response_types: readonly ['code'];
  readonly token_endpoint_auth_method: 'none';
  readonly client_name?: string;
  readonly application_type?: string;
}

/** RFC 7591 §3.2.2. */
export interface RefusedRegistration {
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata';
  readonly description: string;
}

const GRANTS = ['authorization_code', 'refresh_token'];
const LONGEST_NAME = 200;

export function register(request: unknown, client: StaticClient): Registered | RefusedRegistration {
  if (typeof request !== 'object' || request === null || Array.isArray(request))
    return invalid('Expected the metadata of a client as a JSON object.');
  const metadata = request as Readonly<Record<string, unknown>>;
  const {
    redirect_uris: uris,
    grant_types: grants = ['authorization_code'],
    response_types: types = ['code'],
  } = metadata;
  if (!isTexts(grants) || !grants.includes('authorization_code'))
    return invalid('grant_types must have authorization_code.');
  if (!isTexts(types) || !types.includes('code')) return invalid('response_types must have code.');
  if (!isTexts(uris) || uris.length === 0 || !uris.every((uri) => isRegistered(uri, client))) return foreign(client);
  const { client_name: name, application_type: application } = metadata;
  return {
    client_id: client.id,
    redirect_uris: uris,
    grant_types: GRANTS.filter((grant) => grants.includes(grant)),
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...(typeof name === 'string' && name.length <= LONGEST_NAME && { client_name: name }),
    ...((application === 'native' || application === 'web') && { application_type: application }),
  };
}

export const isRefused = (answer: Registered | RefusedRegistration): answer is RefusedRegistration => 'error' in answer;

const isTexts = (values: unknown): values is readonly string[] =>
  Array.isArray(values) && values.every((value) => typeof value === 'string');

const invalid = (description: string): RefusedRegistration => ({ error: 'invalid_client_metadata', description });

const foreign = ({ redirectUris }: StaticClient): RefusedRegistration => ({
  error: 'invalid_redirect_uri',
  description: `Only redirect URIs of the client that is registered at the authorization server can be used: ${redirectUris.join(' ')}`,
});

/** Host, and port if there is one: RFC 8252 §7.3 lets a native app use any port. */
const LOOPBACK = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/;

const withoutPort = (uri: string): string => uri.replace(LOOPBACK, '$1');

const isRegistered = (uri: string, { redirectUris }: StaticClient): boolean =>
  redirectUris.some((known) => known === uri || withoutPort(known) === withoutPort(uri));
