/**
 * Owns the form of an access token (RFC 9068 §2): its claims in one object, signed with the key of this server. The engine collects them
 * in three objects and signs in another thread, which costs a quarter of a token request. It replaces `getValueAndPayload` of
 * `provider.AccessToken` and `provider.ClientCredentials` of oidc-provider 9.13.3.
 */
import { seconds, systemClock } from '@mcp-oauth/shared/clock';
import { ACCESS_TOKEN_TYPE } from '@mcp-oauth/shared/contract';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import type { SigningKey } from '../../../keys/signing-key.ts';
import { createTokenSigner } from '../../../keys/token-signer.ts';
import type { MoreClaims } from '../../tokens/more-claims.ts';

/** The members of the engine's token that its claims are made of. */
interface Token {
  readonly jti: string;
  readonly iat?: number;
  readonly exp?: number;
  /** Seconds. */
  readonly expiration: number;
  readonly accountId?: string;
  readonly clientId: string;
  readonly scope?: string;
  readonly aud?: string;
  readonly jkt?: string;
  /** Set by a grant that says itself what the token says besides: an exchange, which takes over the status of the subject token. */
  readonly extra?: object;
}

interface Model {
  getValueAndPayload(): Promise<{ readonly value: string }>;
}

/** @param claims what a token says besides */
export function formAccessTokens(
  provider: Provider,
  { issuer, key, claims }: { issuer: string; key: SigningKey; claims: MoreClaims },
): void {
  const sign = createTokenSigner(key, ACCESS_TOKEN_TYPE);

  async function getValueAndPayload(this: Token): Promise<{ readonly value: string }> {
    // The clock of the engine, which judges the times of its tokens.
    const now = seconds(systemClock);
    const exp = this.exp ?? now + this.expiration;
    const more = this.extra ?? (await claims(Provider.ctx as KoaContextWithOIDC, this as never));
    const { jti, iat = now, accountId, clientId, scope, aud, jkt } = this;
    // RFC 9068 §2.2: a resource server that compares no audience would accept it.
    if (!aud) throw new Error('an access token without an audience');
    const value = await sign({
      ...more,
      jti,
      sub: accountId ?? clientId,
      iat,
      exp,
      scope: scope || undefined,
      client_id: clientId,
      iss: issuer,
      aud,
      // RFC 9449 §6.1
      ...(jkt !== undefined && { cnf: { jkt } }),
    });
    return { value };
  }

  for (const { prototype } of [provider.AccessToken, provider.ClientCredentials]) {
    Object.assign(prototype as unknown as Model, { getValueAndPayload });
  }
}
