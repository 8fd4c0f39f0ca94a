/** Owns what a sign-in results in: the tokens, and what is needed to renew and to revoke them. */
import { isObject } from '@mcp-oauth/shared/json';
import type { OAuthTokens } from '@modelcontextprotocol/client';
import type { Registered } from './registration.ts';

export interface Grant {
  /** The URL of the authorization server that issued the tokens: they are renewed and revoked there, and nowhere else. */
  readonly server: string;
  readonly issuer: string;
  readonly resource?: string | undefined;
  readonly client: Registered;
  readonly tokens: OAuthTokens;
}

/** The texts that must not be shown: each token and secret, and the signature of a JWT alone. */
export function secretsOf({ client, tokens }: Pick<Grant, 'client' | 'tokens'>): readonly string[] {
  const { access_token: access, refresh_token: refresh, id_token: id } = tokens;
  const secrets = [access, refresh, id, client.client_secret].filter((secret) => secret !== undefined);
  const signatures = secrets.map((secret) => secret.split('.')[2] ?? '').filter((signature) => signature.length > 16);
  return [...secrets, ...signatures].filter(Boolean);
}

/** @returns undefined for anything that is not a grant as it was written */
export function grantOf(value: unknown): Grant | undefined {
  if (!isObject(value) || !isObject(value.client) || !isObject(value.tokens)) return undefined;
  const { server, issuer, client, tokens } = value;
  const texts = [server, issuer, client.client_id, tokens.access_token, tokens.token_type];
  return texts.every((text) => typeof text === 'string') ? (value as unknown as Grant) : undefined;
}
