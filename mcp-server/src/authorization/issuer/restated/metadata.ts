/**
 * Owns restated metadata: the metadata of an issuer under the identifier of this server, so that clients find a client id and leave out
 * what the issuer refuses. Everything that sees a code, a token or a secret stays the issuer's own.
 */
import type { IssuerMetadata } from '../issuer-metadata.ts';

/** How the metadata of an issuer differs here. */
export interface Restatement {
  /** The client that the operator registered at the issuer; absent: clients are told of the issuer's own registration, if it has one. */
  readonly client: StaticClient | undefined;
  /** Whether authorization requests pass through here, to lose `resource`. */
  readonly dropsResource: boolean;
  /** Whether the issuer does PKCE with S256 without announcing it. */
  readonly pkce: boolean;
  /** The variable that says so. */
  readonly setting: string;
}

export interface StaticClient {
  readonly id: string;
  readonly redirectUris: readonly string[];
}

/** Paths below the identifier, which are also those that clients of 2025-03-26 expect. */
export const AUTHORIZE_PATH = '/authorize';
export const REGISTER_PATH = '/register';

/** @param identifier of the authorization server that clients know: the public URL of this server */
export function restate(metadata: IssuerMetadata, identifier: string, how: Restatement): IssuerMetadata {
  const { client, dropsResource, pkce } = how;
  const {
    // RFC 8414 §2.1: it would take precedence, and names the issuer itself.
    signed_metadata: _signed,
    // RFC 9207 §3: the `iss` of an authorization response is the issuer's, so this identifier does not send it.
    authorization_response_iss_parameter_supported: _iss,
    ...rest
  } = metadata;
  const restated: IssuerMetadata = {
    ...rest,
    // RFC 8414 §3.3: clients compare it with the identifier by which they found the document.
    issuer: identifier,
    ...(client && {
      registration_endpoint: `${identifier}${REGISTER_PATH}`,
      token_endpoint_auth_methods_supported: withNone(rest.token_endpoint_auth_methods_supported),
    }),
    ...(pkce && { code_challenge_methods_supported: joined(rest.code_challenge_methods_supported, 'S256') }),
  };
  return dropsResource ? throughHere(restated, identifier) : restated;
}

function throughHere(metadata: IssuerMetadata, identifier: string): IssuerMetadata {
  if (metadata.authorization_endpoint === undefined) return metadata;
  const { pushed_authorization_request_endpoint: pushed, ...rest } = metadata;
  return {
    ...rest,
    authorization_endpoint: `${identifier}${AUTHORIZE_PATH}`,
    // RFC 9126 §2: a pushed request would take `resource` past this server.
    ...(metadata.require_pushed_authorization_requests === true && { pushed_authorization_request_endpoint: pushed }),
  };
}

/** RFC 8414 §2: the default is client_secret_basic. The client has no secret. */
const withNone = (methods: unknown): readonly string[] => joined(methods ?? ['client_secret_basic'], 'none');

const joined = (values: unknown, more: string): readonly string[] => [
  ...new Set([...(Array.isArray(values) ? values.filter((value) => typeof value === 'string') : []), more]),
];

/** The query of an authorization request without `resource`, however its name is encoded; every other parameter is as it was, in order. */
export const withoutResource = (query: string): string =>
  query
    .split('&')
    .filter((parameter) => nameOf(parameter) !== 'resource')
    .join('&');

/** As a form decodes it. A question mark at the start is part of the name. */
const nameOf = (parameter: string): string | undefined => new URLSearchParams(`&${parameter}`).keys().next().value;
