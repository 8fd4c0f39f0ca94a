/**
 * Owns an OpenID provider in a test: discovery, keys, tokens and userinfo over real HTTP, with answers that a test can
 * change.
 */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import oidc from '../../src/connectors/oidc.connector.ts';
import type { Connector, Identity } from '../../src/federation/connector.ts';
import { CALLBACK, checks, type StandIn } from '../contracts/connector.contract.ts';
import { createStage, type Stage } from './upstream-stand-in.ts';

export const settings = {
  clientId: 'client', clientSecret: 'secret', clientAuth: 'client_secret_basic', scopes: 'openid profile email', timeout: 60,
  internalUrl: undefined, responseMode: undefined, offlineAccess: 'off', groupsClaim: 'groups', rolesClaim: 'roles',
  logoutEndsApprovals: false,
} as const; // biome-ignore format: one row

type Opened = Parameters<typeof oidc.open>;

export const open = (issuer: string, change: Partial<Opened[0]> = {}, context: Partial<Opened[1]> = {}) =>
  oidc.open({ ...settings, issuer, ...change }, { callbackUrl: CALLBACK, fetch, ...context });

const pair = generateKeyPair('RS256');
/** The default signing key of all stand-ins. */
export const sign = async (claims: JWTPayload, header: object = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: '1', ...header }).sign((await pair).privateKey);

/** The public key that every stand-in publishes by default, without a key id. */
export const publicKey = pair.then((made) => exportJWK(made.publicKey));

export interface Play extends StandIn {
  readonly stage: Stage;
  /** Claims of the next ID token that replace or extend the default ones. */
  claims: JWTPayload;
  /** Header parameters of the next ID token that replace or extend the default ones. */
  header: { readonly alg?: string; readonly kid?: string | undefined };
  /** Members of the next token response that replace or extend the default ones. */
  members: Readonly<Record<string, unknown>>;
  /** Authorization header and form of the last redemption. */
  readonly redeemed: () => { readonly authorization: string | undefined; readonly form: URLSearchParams } | undefined;
}

export const metadata = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  userinfo_endpoint: `${issuer}/userinfo`,
});

interface StartOptions {
  readonly timeout?: number | undefined;
  /** Absent: a connector of the kind `oidc`. */
  readonly openAt?: ((issuer: string) => Connector) | undefined;
}

/** @param publicUrl the provider's public URL, where it differs from its address */
export async function start(path = '', publicUrl?: string, { timeout, openAt }: StartOptions = {}): Promise<Play> {
  const stage = await createStage(`${path}/token`);
  const internalUrl = publicUrl && stage.url + path;
  const issuer = publicUrl ?? stage.url + path;
  let nonce = '';
  let redeemed: ReturnType<Play['redeemed']>;
  const play: Play = {
    stage,
    claims: {},
    header: {},
    members: {},
    connector: openAt?.(issuer) ?? open(issuer, { internalUrl, timeout: timeout ?? settings.timeout }),
    issuer,
    subject: 'opaque|0001/ü',
    signIn: async ({ searchParams }) => {
      nonce = searchParams.get('nonce') ?? '';
      return new URL(`${CALLBACK}?code=good&state=${searchParams.get('state')}`);
    },
    nameUnverified: (email) => {
      play.claims = { ...play.claims, email, email_verified: false };
    },
    redeemed: () => redeemed,
    redeemedWith: () => redeemed?.form.get('code_verifier') ?? undefined,
    fail: (fault) => {
      stage.fault = fault;
    },
    stop: () => stage.close(),
    [Symbol.asyncDispose]: () => stage.close(),
  };
  const idToken = () => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer, sub: play.subject, aud: 'client', iat: now, exp: now + 60, auth_time: 0, nonce };
    return sign({ ...usual, ...play.claims }, play.header);
  };
  stage.routes.set(`${path}/.well-known/openid-configuration`, () => metadata(issuer));
  stage.routes.set(`${path}/jwks`, async () => ({
    keys: [{ ...(await publicKey), alg: 'RS256', kid: '1' }],
  }));
  stage.routes.set(`${path}/token`, async (form, { headers }) => {
    redeemed = { authorization: headers.authorization, form };
    if (stage.fault === 'no access token') return { token_type: 'bearer', id_token: await idToken() };
    const access_token = stage.fault === 'short access token' ? 'abc' : '1234567890';
    // A wrong code gets a body without an ID token, as broken providers answer.
    const good = form.get('code') === 'good' && stage.fault !== 'refused code';
    return { access_token, token_type: 'bearer', ...(good && { id_token: await idToken() }), ...play.members };
  });
  return play;
}

/** One sign-in from the authorization request to the identity. */
export async function signIn(change: (play: Play) => void = () => {}, path?: string) {
  await using upstream = await start(path);
  change(upstream);
  return (await upstream.connector.finish(await upstream.signIn(await upstream.connector.begin(checks)), checks))
    .identity;
}

/** What identifies and shows a person. */
export const shown = ({ issuer, subject, name, username, email }: Identity) => ({
  issuer,
  subject,
  name,
  username,
  email,
});
