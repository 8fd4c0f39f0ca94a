/**
 * Owns the tokens for tools of any OAuth 2.0 provider (RFC 6749 §4.1), with PKCE in any case. Nobody signs in with it: an access token
 * proves nothing about the person who presents it (RFC 6749 §10.16).
 */
import { createHash } from 'node:crypto';
import { type Clock, seconds, systemClock } from '@mcp-oauth/shared/clock';
import { readAnswer } from '../federation/answer.ts';
import { defineToolConnector, UpstreamError, type UpstreamSession } from '../federation/connector.ts';
import { createUpstreamFetch, endingWith } from '../federation/upstream/upstream-fetch.ts';
import { accountOf, isAccepted, redeem, revoke, type TokenAnswer } from './oauth2/requests.ts';
import { rules, settings } from './oauth2/settings.ts';

export default defineToolConnector({
  type: 'oauth2',
  title: 'OAuth 2.0',
  settings,
  tools: { needsScopes: false, isAlone: true },
  rules,
  open: (values, { fetch: send, callbackUrl, clock = systemClock }) => {
    const fetch = createUpstreamFetch(send, values.timeout);
    const { authorizationUrl, authorizationParameters, revocationUrl, tokenUrl, userinfoUrl } = values;
    return {
      tools: {
        begin: async ({ state, codeVerifier }, { scopes, loginHint }) => {
          const target = new URL(authorizationUrl);
          const parameters = {
            ...(loginHint && { login_hint: loginHint }),
            ...Object.fromEntries(new URLSearchParams(authorizationParameters)),
            ...(scopes.length > 0 && { scope: scopes.join(' ') }),
            response_type: 'code',
            client_id: values.clientId,
            redirect_uri: callbackUrl,
            state,
            code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
            code_challenge_method: 'S256',
          };
          target.search = new URLSearchParams(parameters).toString();
          return target;
        },
        finish: async (answer, { state, codeVerifier }, requested) => {
          const issuer = new URL(tokenUrl).origin;
          // RFC 9207 §2.4: the issuer of the provider is not configured; it is a URL of the same site.
          const isIssuer = (named: string) => originsOf(values).has(URL.parse(named)?.origin ?? '');
          const { code } = readAnswer(answer, { state, issuer, isIssuer });
          const tokens = await redeem(fetch, values, {
            grant_type: 'authorization_code',
            code,
            redirect_uri: callbackUrl,
            code_verifier: codeVerifier,
          });
          const identity = await accountOf(fetch, values, tokens.access_token);
          return { session: sessionOf(tokens, clock), scopes: givenOf(requested, tokens), identity };
        },
        refresh: async ({ session: { refreshToken = '' }, scopes }, signal) => {
          const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
          const tokens = await redeem(endingWith(fetch, signal), values, form).catch(refuseEnded);
          // RFC 6749 §6: without a new refresh token the old one stays good.
          const session = { ...sessionOf(tokens, clock), refreshToken: tokens.refresh_token ?? refreshToken };
          return { session, scopes: givenOf(scopes, tokens) };
        },
        ...(userinfoUrl && {
          isAccepted: ({ accessToken = '' }, signal) => isAccepted(endingWith(fetch, signal), userinfoUrl, accessToken),
        }),
        ...(revocationUrl && {
          revoke: ({ refreshToken, accessToken = '' }, signal) =>
            revoke(endingWith(fetch, signal), values, revocationUrl, refreshToken ?? accessToken),
        }),
      },
    };
  },
});

const originsOf = ({ authorizationUrl, tokenUrl }: { readonly authorizationUrl: string; readonly tokenUrl: string }) =>
  new Set([authorizationUrl, tokenUrl].map((url) => new URL(url).origin));

const sessionOf = (
  { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetime }: TokenAnswer,
  clock: Clock,
): UpstreamSession => ({
  accessToken,
  refreshToken,
  expiresAt: lifetime === undefined ? undefined : seconds(clock) + lifetime,
});

/** RFC 6749 §5.1: without a list all were given. Some providers separate it by commas. */
function givenOf(requested: readonly string[], { scope: list }: TokenAnswer): readonly string[] {
  if (list === undefined) return requested;
  const listed = new Set(list.split(/[\s,]+/));
  return requested.filter((scope) => listed.has(scope));
}

/** RFC 6749 §5.2: the refresh token is of no use any more; the others are other names for it (Slack, GitHub). */
const ENDED: ReadonlySet<unknown> = new Set([
  'invalid_grant', 'invalid_refresh_token', 'bad_refresh_token', 'invalid_token', 'token_expired', 'token_revoked',
]); // biome-ignore format: one list

function refuseEnded(error: unknown): never {
  if (!(error instanceof UpstreamError) || !ENDED.has(error.facts.upstreamError)) throw error;
  throw new UpstreamError('ended', error.message, error.facts);
}
