/**
 * Owns the token exchange of the development IdP (RFC 8693): an ID token becomes an ID-JAG for the authorization server of an MCP server
 * (draft-ietf-oauth-identity-assertion-authz-grant-04 §4.3), for one client that has a secret.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { type CryptoKey, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type Provider from 'oidc-provider';
import { type ClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { decide, flawOf, ID_JAG, type Policy, type Refused, type Wish } from './policy.ts';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Seconds, as in the draft: the client asks for a new one each time. */
const LIFETIME = 300;

/** The client of a terminal on this machine (RFC 8252 §7.3): it signs people in here, and asks for ID-JAGs. */
export const ENTERPRISE_CLIENT: ClientMetadata = {
  client_id: 'mcp-client',
  client_secret: 'development-only-client-secret',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
};

interface SigningKey {
  readonly key: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly kid: string;
  readonly alg: string;
}

export interface TokenExchange {
  readonly policy: Policy;
  readonly signing: SigningKey;
  readonly clock: Clock;
  /** What the authorization server may need of a person to apply its rules (§3.1); nothing else leaves this IdP. */
  readonly claimsOf: (subject: string) => JWTPayload;
}

const PARAMETERS =
  'requested_token_type subject_token subject_token_type actor_token actor_token_type audience resource scope';

/** Adds the grant to the token endpoint. */
export function addTokenExchange(provider: Provider, options: TokenExchange): void {
  const answer = async (ctx: KoaContextWithOIDC) => {
    ctx.body = await exchange(ctx, provider.issuer, options);
  };
  provider.registerGrantType(TOKEN_EXCHANGE, answer, PARAMETERS.split(' '));
}

async function exchange(ctx: KoaContextWithOIDC, issuer: string, options: TokenExchange): Promise<object> {
  const { policy, signing, clock, claimsOf } = options;
  const { client, params } = ctx.oidc;
  const wish = { ...params } as Wish;
  const flaw = flawOf(wish, policy);
  if (flaw) throw refusal(flaw);
  const expected = { issuer, audience: client?.clientId ?? '' };
  const { sub = '', auth_time } = await readIdToken(wish.subject_token ?? '', expected, signing.publicKey, clock);
  const decision = decide(wish, sub, policy);
  if ('error' in decision) throw refusal(decision);
  const { resource, scope } = decision;
  const authenticated = auth_time === undefined ? {} : { auth_time };
  const now = seconds(clock);
  const idJag = await new SignJWT({
    ...claimsOf(sub),
    ...authenticated,
    client_id: policy.clientId,
    resource,
    scope,
  })
    .setProtectedHeader({ alg: signing.alg, kid: signing.kid, typ: 'oauth-id-jag+jwt' })
    .setIssuer(issuer)
    .setSubject(sub)
    .setAudience(policy.audience)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + LIFETIME)
    .sign(signing.key);
  return { issued_token_type: ID_JAG, access_token: idJag, token_type: 'N_A', scope, expires_in: LIFETIME };
}

/** Only an ID token of this IdP for the client that asks (§4.3.3). An ID-JAG is no ID token, which has no type. */
async function readIdToken(
  token: string,
  expected: { readonly issuer: string; readonly audience: string },
  key: CryptoKey,
  clock: Clock,
): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, key, {
      ...expected,
      requiredClaims: ['exp', 'iat', 'sub'],
      currentDate: new Date(clock.now()),
    });
    if (protectedHeader.typ === undefined) return payload;
  } catch {}
  throw new errors.CustomOIDCProviderError(
    'invalid_grant',
    'the subject token is not a valid ID token of this IdP for this client',
  );
}

const refusal = ({ error, description }: Refused): errors.OIDCProviderError =>
  new errors.CustomOIDCProviderError(error, description);
