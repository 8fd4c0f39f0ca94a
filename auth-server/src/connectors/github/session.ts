/**
 * Owns the tokens of a person at GitHub: those of an OAuth app do not expire, those of a GitHub App may, and then have a refresh token
 * that is good for one use. GitHub revokes a token when the person withdraws the consent.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { UpstreamError, type UpstreamSession } from '../../federation/connector.ts';
import { redeem, type TokenAnswer } from './api.ts';

export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly baseUrl: string;
}

export function sessionOf({ accessToken, refreshToken, lifetime }: TokenAnswer, clock: Clock): UpstreamSession {
  return { accessToken, refreshToken, expiresAt: lifetime === undefined ? undefined : seconds(clock) + lifetime };
}

/** Seconds before its end in which an access token is renewed. */
const MARGIN = 60;

/**
 * @returns the session itself if its access token is good for longer, else a new one
 * @throws UpstreamError
 */
export async function current(
  fetch: typeof globalThis.fetch,
  session: UpstreamSession,
  credentials: Credentials & { readonly clock: Clock },
): Promise<UpstreamSession> {
  const { expiresAt } = session;
  if (expiresAt === undefined || expiresAt > seconds(credentials.clock) + MARGIN) return session;
  return renewed(fetch, session, credentials);
}

/**
 * Exchanges the refresh token.
 * @throws UpstreamError
 */
export async function renewed(
  fetch: typeof globalThis.fetch,
  { refreshToken }: UpstreamSession,
  { clientId, clientSecret, baseUrl, clock }: Credentials & { readonly clock: Clock },
): Promise<UpstreamSession> {
  if (refreshToken === undefined) throw new UpstreamError('ended', 'the access token has expired');
  const form = { client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken };
  try {
    return sessionOf(await redeem(fetch, baseUrl, { ...form, grant_type: 'refresh_token' }), clock);
  } catch (error) {
    throw error instanceof UpstreamError && error.reason === 'invalid_answer' && error.facts.upstreamError
      ? new UpstreamError('ended', `GitHub answered ${error.facts.upstreamError} to the refresh token`, error.facts)
      : error;
  }
}

/**
 * GitHub docs "Token expiration and revocation": 401 because the consent was withdrawn. GitHub Enterprise answers 403 to a suspended
 * person, and to everybody if an organization forbids the app, so only its words tell.
 * @throws UpstreamError
 */
export async function aboutThePerson<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const { status, upstreamDescription = '' } = error.facts;
    const isSuspended = status === 403 && /\bsuspended\b/i.test(upstreamDescription);
    if (status !== 401 && !isSuspended) throw error;
    throw new UpstreamError('denied', error.message, error.facts);
  }
}
