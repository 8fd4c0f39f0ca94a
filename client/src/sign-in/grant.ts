/** Owns what a sign-in results in: the tokens, and what is needed to renew and to revoke them; or a person who did not agree. */
import { StartError } from '@mcp-oauth/shared/errors';
import { isObject } from '@mcp-oauth/shared/json';
import type { OAuthTokens } from '@modelcontextprotocol/client';
import type { Registered } from './client/registration.ts';
import { isSecretPlace, type ReadSecret, type SecretPlace, spellingsOf } from './client/secret.ts';

/** The person, or a rule about the person, has ended the sign-in: neither server is at fault. */
export class NotAgreed extends StartError {
  override readonly name = 'NotAgreed';
}

/** @param error of the authorization server (RFC 6749 §4.1.2.1, RFC 8628 §3.5) */
export function refusal(error: unknown, description: unknown, otherwise: string): StartError {
  const says = [error, description].filter((text) => typeof text === 'string' && text !== '').join(': ');
  return error === 'access_denied' || error === 'expired_token'
    ? new NotAgreed(says)
    : new StartError(says || otherwise);
}

/** A sign-in that an enterprise manages: the identity provider that made it, and this program there. */
export interface EnterpriseSignIn {
  readonly issuer: string;
  readonly clientId: string;
}

export interface Grant {
  /** The URL of the authorization server that issued the tokens: they are renewed and revoked there, and nowhere else. */
  readonly server: string;
  readonly issuer: string;
  readonly resource?: string | undefined;
  readonly client: Registered;
  /** Where the secret or key of the client is read; absent for a public client, and for a secret of a registration. */
  readonly secret?: SecretPlace | undefined;
  readonly tokens: OAuthTokens;
  /** Absent if the person approved on a page of the authorization server. The tokens are then renewed by the identity provider. */
  readonly enterprise?: EnterpriseSignIn | undefined;
  /** Present if the client has signed in as itself (RFC 6749 §4.4). It gets new tokens in the same way. */
  readonly machine?: true | undefined;
}

/** The texts of a grant that must not be shown. */
export function secretsOf({ client, tokens }: Pick<Grant, 'client' | 'tokens'>): readonly string[] {
  const { access_token: access, refresh_token: refresh, id_token: id } = tokens;
  const { client_id: clientId, client_secret: secret } = client;
  const spellings = secret ? spellingsOf(clientId, secret) : [];
  return [...withSignatures([access, refresh, id].filter((token) => token !== undefined)), ...spellings];
}

/** Each token, and the signature of a JWT alone. */
export function withSignatures(tokens: readonly string[]): readonly string[] {
  const signatures = tokens.map((token) => token.split('.')[2] ?? '').filter((signature) => signature.length > 16);
  return [...tokens, ...signatures].filter(Boolean);
}

/** The client as it authenticates itself. */
export const clientOf = ({ client, secret }: Pick<Grant, 'client' | 'secret'>, read: ReadSecret): Registered =>
  secret === undefined ? client : { ...client, ...read(secret, client.client_id) };

export const isOfEnterprise = (grant: Grant): grant is Grant & { readonly enterprise: EnterpriseSignIn } =>
  grant.enterprise !== undefined;

const isEnterpriseSignIn = (value: unknown): value is EnterpriseSignIn =>
  isObject(value) && URL.canParse(String(value.issuer)) && typeof value.clientId === 'string';

/** @returns undefined for anything that is not a grant as it was written */
export function grantOf(value: unknown): Grant | undefined {
  if (!isObject(value) || !isObject(value.client) || !isObject(value.tokens)) return undefined;
  const { server, issuer, client, tokens } = value;
  const texts = [server, issuer, client.client_id, tokens.access_token, tokens.token_type];
  if (value.secret !== undefined && !isSecretPlace(value.secret)) return undefined;
  if (value.enterprise !== undefined && !isEnterpriseSignIn(value.enterprise)) return undefined;
  if (value.machine !== undefined && value.machine !== true) return undefined;
  if (!texts.every((text) => typeof text === 'string')) return undefined;
  // Anything else can't be sent, and an error about it would show it (RFC 6749 §A.12).
  return /^[\x20-\x7e]+$/.test(String(tokens.access_token)) ? (value as unknown as Grant) : undefined;
}

/** @param body of an answer of the token endpoint. @throws StartError if there is no token in it */
export function tokensOf(body: unknown): OAuthTokens {
  const answer = isObject(body) ? body : {};
  const { access_token: token, token_type: type } = answer;
  if (typeof token !== 'string' || typeof type !== 'string') {
    throw new StartError('the answer of the token endpoint has no access_token or no token_type (RFC 6749 §5.1)');
  }
  const optional = Object.entries({
    refresh_token: 'string',
    id_token: 'string',
    scope: 'string',
    expires_in: 'number',
  });
  const others = optional.filter(([name, kind]) => typeof answer[name] === kind).map(([name]) => [name, answer[name]]);
  return { access_token: token, token_type: type, ...Object.fromEntries(others) };
}
