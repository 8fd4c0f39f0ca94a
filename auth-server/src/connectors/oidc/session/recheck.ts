/**
 * Owns how an OpenID provider is asked again about a person: with the refresh token, whose answer may have a new id token (OpenID
 * Connect Core 1.0 §12.2), or else with an access token at userinfo while it lasts (§5.3).
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import * as oidc from 'openid-client';
import { type SignIn, UpstreamError, type UpstreamSession } from '../../../federation/connector.ts';
import { innermost } from '../../../federation/failure.ts';
import type { Claims } from '../claims.ts';
import type { IdTokenClaims } from '../id-token.ts';
import { sidOf } from '../logout/logout-token.ts';
import { ID_TOKEN } from '../token-answer.ts';

/** What a token response has for the next question. */
type Tokens = Pick<oidc.TokenEndpointResponse, 'access_token' | 'refresh_token' | 'expires_in'>;

interface Provider {
  readonly hasUserInfo: boolean;
  readonly clock: Clock;
}

/**
 * An access token is only kept with a refresh token or for userinfo, and only with `expires_in`: without it, a refusal could not be
 * told from its end.
 */
export function sessionOf(tokens: Tokens, idToken: IdTokenClaims, { hasUserInfo, clock }: Provider): UpstreamSession {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetime } = tokens;
  const isUsable = lifetime !== undefined && (refreshToken !== undefined || hasUserInfo);
  const access = isUsable ? { accessToken, expiresAt: seconds(clock) + lifetime } : {};
  const { picture, ...kept } = idToken;
  return { refreshToken, ...access, sid: sidOf(kept), idToken: kept };
}

interface Dependencies extends Provider {
  readonly configuration: oidc.Configuration;
  /** Reads an id token, except for its nonce. */
  readonly read: (token: unknown) => Promise<IdTokenClaims>;
  /** @param isOldIdToken whether the id token is that of an earlier answer, so that userinfo is newer */
  readonly identify: (
    idToken: IdTokenClaims,
    accessToken: string,
    isOldIdToken: boolean,
  ) => Promise<SignIn['identity']>;
  readonly renewed: (session: UpstreamSession) => Promise<void>;
}

/** @throws UpstreamError */
export async function askAgain(session: UpstreamSession, dependencies: Dependencies): Promise<SignIn> {
  const { configuration, hasUserInfo, clock } = dependencies;
  const last = session.idToken as IdTokenClaims | undefined;
  if (!last) throw new UpstreamError('ended', 'the stored session has no id token');
  if (session.refreshToken === undefined) {
    if (!hasUserInfo) throw new UpstreamError('ended', 'the upstream has no userinfo any more');
    return { identity: await userInfo(() => dependencies.identify(last, session.accessToken ?? '', true)), session };
  }
  const answered = await refreshed(configuration, session.refreshToken);
  // RFC 6749 §6: without a new refresh token the old one stays good.
  const tokens = { ...answered, refresh_token: answered.refresh_token ?? session.refreshToken };
  if (tokens.refresh_token !== session.refreshToken) await dependencies.renewed(sessionOf(tokens, last, dependencies));
  const idToken = isAbsent(answered[ID_TOKEN]) ? last : await dependencies.read(answered[ID_TOKEN]);
  refuseUnlike(idToken, last, seconds(clock));
  const identity = await dependencies.identify(idToken, tokens.access_token, idToken === last);
  // The nonce is that of the sign-in for ever, and not every later id token has it or `sid`.
  const claims = { ...idToken, nonce: last.nonce, sid: idToken.sid ?? last.sid };
  return { identity, session: sessionOf(tokens, claims, dependencies) };
}

const isAbsent = (token: unknown): boolean => token === undefined || token === null || token === '';

/** Seconds that an id token may be old: an older one is not an answer to this question. */
const OLDEST = 300;

/** OpenID Connect Core 1.0 §12.2: a later id token is about the same person, for the same client, and issued now. */
function refuseUnlike(idToken: IdTokenClaims, last: IdTokenClaims, now: number): void {
  if (idToken === last) return;
  const refuse = (
    reason: 'denied' | 'invalid_answer',
    claim: string,
    expected: unknown,
    found: unknown = 'nothing',
  ) => {
    throw new UpstreamError(reason, `the id token was refused: ${claim} differs from that of the sign-in`, {
      claim,
      expected,
      found,
    });
  };
  if (idToken.iss !== last.iss) refuse('denied', 'iss', last.iss, idToken.iss);
  if (idToken.sub !== last.sub) refuse('denied', 'sub', last.sub, idToken.sub);
  if (sorted(idToken.aud) !== sorted(last.aud)) refuse('invalid_answer', 'aud', last.aud, idToken.aud);
  if (idToken.nonce !== undefined && idToken.nonce !== last.nonce) {
    refuse('invalid_answer', 'nonce', 'the nonce of the sign-in, or none', 'another value');
  }
  if (Number(idToken.iat) < now - OLDEST) {
    refuse('invalid_answer', 'iat', `later than ${now - OLDEST}`, idToken.iat);
  }
}

const sorted = (audience: unknown): string => JSON.stringify([audience].flat().sort());

/** @throws UpstreamError, or an error of openid-client */
export const refreshed = (configuration: oidc.Configuration, refreshToken: string) =>
  judging(() => oidc.refreshTokenGrant(configuration, refreshToken));

/** A request with a token of a person, whose refusal may be about that person. */
export async function judging<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const found = innermost(error);
    throw found instanceof UpstreamError ? judged(found) : error;
  }
}

/** Errors that are about the person and not about the refresh token (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6). */
const FINAL: ReadonlySet<string> = new Set(['access_denied', 'consent_required']);

/**
 * What providers say beside `invalid_grant` about a person who may not come in any more. Keycloak: TokenManager; Entra ID: the page
 * "Microsoft Entra authentication and authorization error codes" (no such account, disabled, not assigned to the app, no consent);
 * Auth0: the page "Block and Unblock Users".
 */
const ABOUT_THE_PERSON = /^User disabled$|\bAADSTS(?:50034|50057|50105|65001)\b|\buser is blocked\b/i;

/** Any other `invalid_grant` may only mean that the session has been idle or the password has changed. */
function judged(error: UpstreamError): UpstreamError {
  const { upstreamError, upstreamDescription = '' } = error.facts;
  if (upstreamError === undefined || error.reason === 'unavailable' || error.reason === 'misconfigured') return error;
  const isFinal = FINAL.has(upstreamError) || ABOUT_THE_PERSON.test(upstreamDescription);
  const message = `the upstream answered ${upstreamError} to the refresh token`;
  return new UpstreamError(isFinal ? 'denied' : 'ended', message, error.facts);
}

/** RFC 6750 §3.1: 401 and 403 are about the access token, which ends with the session at most providers. */
async function userInfo<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const status = statusOf(error);
    if (status !== 401 && status !== 403) throw error;
    throw new UpstreamError('ended', `userinfo answered ${status}`, { status, cause: error });
  }
}

/** The HTTP status in an error of openid-client, which hides it in the causes. */
function statusOf(error: unknown): number | undefined {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = (cause as Claims).cause) {
    const { status } = cause as Claims;
    if (typeof status === 'number') return status;
  }
  return undefined;
}
