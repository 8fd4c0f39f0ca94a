/**
 * Owns what is read from the metadata of an OpenID provider (Discovery 1.0 §3, §4.3): the members that sign-in needs. An invalid
 * optional member counts as absent.
 */
import { isObject } from '@mcp-oauth/shared/json';
import { type Place, withPublicEndpoints } from '@mcp-oauth/shared/network/place';
import type { ServerMetadata } from 'openid-client';
import { UpstreamError } from '../../federation/connector.ts';

/** The metadata, and the rules for the answers of the provider. */
export interface ProviderMetadata {
  readonly server: ServerMetadata;
  readonly issuer: string;
  readonly jwksUri: string;
  /** Accepted signature algorithms of its id tokens. */
  readonly algorithms: readonly string[];
  /** RFC 9207 §3: every answer names its issuer. */
  readonly namesIssuer: boolean;
  /** Back-Channel Logout 1.0 §2.1: it says that it sends logout tokens. */
  readonly sendsLogoutTokens: boolean;
  /** The values of `prompt` that it takes (Initiating User Registration via OpenID Connect 1.0 §4). Absent: it does not say. */
  readonly prompts: readonly string[] | undefined;
}

const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;
const ENDPOINTS = [...REQUIRED, 'userinfo_endpoint', 'end_session_endpoint', 'revocation_endpoint'] as const;

/** Asymmetric algorithms only: a signature with a shared secret proves no more than the connection does. */
export const ASYMMETRIC: readonly string[] = [
  ...['RS', 'PS', 'ES'].flatMap((family) => [`${family}256`, `${family}384`, `${family}512`]),
  ...['EdDSA', 'Ed25519', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
];

export interface MetadataExpected {
  /** The issuer that is configured, without its last slash. */
  readonly issuer: string;
  readonly place: Place;
  /** Absent: only `issuer`. */
  readonly acceptsIssuer?: ((issuer: string) => boolean) | undefined;
}

/**
 * @param document as it was read
 * @throws when it is not metadata of that issuer
 */
export function readMetadata(
  document: unknown,
  { issuer: expected, place, ...rules }: MetadataExpected,
): ProviderMetadata {
  const accepts = rules.acceptsIssuer ?? ((found) => found.replace(/\/$/, '') === expected);
  if (!isObject(document)) throw new Error('it is not metadata: expected a JSON object');
  const said = document;
  const { issuer, id_token_signing_alg_values_supported: announced } = said;
  if (typeof issuer !== 'string' || !accepts(issuer)) {
    const found = typeof issuer === 'string' ? issuer : (JSON.stringify(issuer) ?? 'nothing');
    throw new UpstreamError('unavailable', `its issuer is ${found}`, { claim: 'issuer', expected, found });
  }
  const named = ENDPOINTS.filter((name) => typeof said[name] === 'string' && URL.canParse(said[name]));
  const missing = REQUIRED.filter((name) => !named.includes(name));
  if (missing.length > 0) throw new Error(`an endpoint is missing: ${missing.join(', ')}`);
  const kept = Object.fromEntries(named.map((name) => [name, said[name]]));
  const endpoints = withPublicEndpoints(kept, place) as Readonly<Record<string, string>>;
  const list = textsIn(announced) ?? [];
  return {
    server: { issuer, ...endpoints },
    issuer,
    jwksUri: endpoints.jwks_uri ?? '',
    // Discovery §3: RS256 is mandatory, so a list without any algorithm is ignored.
    algorithms: (list.length > 0 ? list : ['RS256']).filter((name) => ASYMMETRIC.includes(name)),
    namesIssuer: said.authorization_response_iss_parameter_supported === true,
    sendsLogoutTokens: said.backchannel_logout_supported === true,
    prompts: textsIn(said.prompt_values_supported),
  };
}

const textsIn = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((member) => typeof member === 'string') : undefined;
