/** Owns the OpenID provider itself (OpenID Connect Core 1.0): auth-server as its client, two people, everything in memory. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { type Configuration } from 'oidc-provider';
import { failurePage } from './chooser.ts';
import { ID_JAG, type Policy } from './enterprise/policy.ts';
import { addTokenExchange, ENTERPRISE_CLIENT } from './enterprise/token-exchange.ts';
import { createMemoryAdapter } from './memory-adapter.ts';
import { findPerson } from './people.ts';

/** The credentials of auth-server's built-in connector; they are only valid at this provider. */
const CLIENT_ID = 'auth-server';
const CLIENT_SECRET = 'development-only-secret';

export interface ProviderOptions {
  /** Our own issuer. */
  readonly url: string;
  /** The redirect URI of auth-server. */
  readonly callbackUrl: string;
  /** Who may get ID-JAGs for what; absent: nobody, and there is no client that could ask. */
  readonly enterprise?: Policy | undefined;
  readonly clock: Clock;
}

/** Signs with a key that exists as long as the process: clients fetch the key set again if a key is unknown. */
export async function createProvider({ url, callbackUrl, clock, enterprise }: ProviderOptions): Promise<Provider> {
  const alg = 'RS256';
  const { privateKey: key, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomBytes(8).toString('hex');
  const jwk = { ...(await exportJWK(key)), alg, use: 'sig', kid };
  const authServer = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [callbackUrl] };
  const provider = new Provider(url, {
    ...behaviour,
    ...(enterprise && {
      discovery: { identity_chaining_requested_token_types_supported: [ID_JAG] },
      features: { ...behaviour.features, revocation: { enabled: true } },
    }),
    adapter: createMemoryAdapter(clock),
    jwks: { keys: [jwk] },
    clients: enterprise ? [authServer, ENTERPRISE_CLIENT] : [authServer],
  });
  if (enterprise) {
    const signing = { key, publicKey, kid, alg };
    addTokenExchange(provider, { policy: enterprise, signing, clock, claimsOf });
  }
  return provider;
}

function claimsOf(subject: string): Readonly<Record<string, unknown>> {
  const person = findPerson(subject);
  return person ? { email: person.email, email_verified: true, groups: [...person.groups] } : {};
}

const HOUR = 3_600;

const behaviour: Configuration = {
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  cookies: {
    // Cookies ignore ports, so these need other names than those of auth-server.
    names: { interaction: 'idp_interaction', resume: 'idp_resume', session: 'idp_session' },
    keys: [randomBytes(32).toString('base64url')],
    long: { httpOnly: true, sameSite: 'lax' },
    short: { httpOnly: true, sameSite: 'lax' },
  },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, subject) => {
    const person = findPerson(subject);
    if (!person) return undefined;
    const { name, email, groups } = person;
    return {
      accountId: subject,
      claims: () => ({ sub: subject, name, preferred_username: subject, email, email_verified: true, groups }),
    };
  },
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  pkce: { required: () => true },
  responseTypes: ['code'],
  expiresWithSession: () => false,
  ttl: {
    AuthorizationCode: 60,
    AccessToken: HOUR,
    IdToken: HOUR,
    RefreshToken: 24 * HOUR,
    Interaction: HOUR,
    Session: HOUR,
    // A refresh token is good for as long as its grant.
    Grant: 24 * HOUR,
  },
  renderError: (ctx, { error, error_description: description }) => {
    ctx.type = 'html';
    ctx.body = failurePage(description ? `${error}: ${description}` : error);
  },
};
