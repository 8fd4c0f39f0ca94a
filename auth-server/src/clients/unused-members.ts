/**
 * Owns the standard members of client metadata that this server does not use: those that are ignored without harm, because operators
 * copy them from the answer to a registration, and those that ask for protection and must not be ignored silently.
 */
import { unknownMember } from '@mcp-oauth/shared/text/nearest';

/** RFC 7591 §2, §3.2.1, RFC 7592 §3, OpenID Connect Registration 1.0 §2 and the logout specifications. */
const HARMLESS: ReadonlySet<string> = new Set([
  'authorization_details_types', 'backchannel_logout_session_required', 'backchannel_logout_uri', 'client_id_issued_at',
  'default_acr_values', 'frontchannel_logout_session_required', 'frontchannel_logout_uri', 'id_token_signed_response_alg',
  'initiate_login_uri', 'post_logout_redirect_uris', 'registration_access_token', 'registration_client_uri', 'request_object_signing_alg',
  'request_uris', 'response_modes', 'sector_identifier_uri', 'software_statement', 'software_version', 'subject_type',
  'userinfo_signed_response_alg',
]); // biome-ignore format: one list

/** RFC 7591 §2.2: texts for people may exist in several languages, such as `client_name#de`. */
const IN_LANGUAGES = /^(?:client_name|client_uri|logo_uri|policy_uri|tos_uri)#/;

/** Standard members that ask for protection which this server does not provide, unless their value is `false`. */
const PROTECTIVE: ReadonlySet<string> = new Set([
  'authorization_encrypted_response_alg', 'authorization_signed_response_alg', 'default_max_age', 'id_token_encrypted_response_alg',
  'id_token_encrypted_response_enc', 'introspection_encrypted_response_alg', 'request_object_encryption_alg', 'require_auth_time',
  'require_signed_request_object', 'tls_client_auth_san_dns', 'tls_client_auth_san_email', 'tls_client_auth_san_ip',
  'tls_client_auth_san_uri', 'tls_client_auth_subject_dn', 'tls_client_certificate_bound_access_tokens',
  'token_endpoint_auth_signing_alg', 'use_mtls_endpoint_aliases', 'userinfo_encrypted_response_alg',
]); // biome-ignore format: one list

/** The client without the members that are ignored; absent and `null` are the same. */
export function withoutUnused(client: unknown): unknown {
  if (typeof client !== 'object' || client === null || Array.isArray(client)) return client;
  const isUnused = (name: string, value: unknown) =>
    value === null || HARMLESS.has(name) || IN_LANGUAGES.test(name) || (PROTECTIVE.has(name) && value === false);
  return Object.fromEntries(Object.entries(client).filter(([name, value]) => !isUnused(name, value)));
}

/** The problem with an unknown member. @param known members that the operator may set */
export const unknownMemberProblem = (name: string, known: readonly string[]): string =>
  PROTECTIVE.has(name) ? `${name} is not supported, so it would not protect anything` : unknownMember(name, known);
