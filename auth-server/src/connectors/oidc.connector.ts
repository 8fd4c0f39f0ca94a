/**
 * Owns sign-in with any OpenID provider that can be discovered (OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4): with PKCE,
 * state, nonce and issuer. openid-client builds the requests; oidc/ validates the answers.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import * as oidc from 'openid-client';
import { readAnswer } from '../federation/answer.ts';
import { defineConnector, UpstreamError } from '../federation/connector.ts';
import { innermost } from '../federation/failure.ts';
import { type IdTokenClaims, readIdToken } from './oidc/id-token.ts';
import { type Claims, isComplete, toIdentity, userInAnswer } from './oidc/identity.ts';
import { createProvider, type Provider, type Upstream } from './oidc/provider.ts';
import { rules, settings } from './oidc/settings.ts';
import { ID_TOKEN } from './oidc/token-answer.ts';

export default defineConnector({
  type: 'oidc',
  title: 'OpenID',
  settings,
  rules,
  open: (values, context) => {
    const provider = createProvider(values, context);
    const { clock = systemClock, callbackUrl } = context;
    return {
      begin: (checks) =>
        translated(async () => {
          const { configuration } = await provider.metadata.get();
          return oidc.buildAuthorizationUrl(configuration, {
            redirect_uri: callbackUrl,
            scope: values.scopes,
            state: checks.state,
            nonce: checks.nonce,
            code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
            code_challenge_method: 'S256',
            ...(values.responseMode && { response_mode: values.responseMode }),
          });
        }),
      finish: (answer, { state, nonce, codeVerifier }) =>
        renewing(provider, async () => {
          const upstream = await provider.metadata.get();
          const { configuration, issuer, algorithms, namesIssuer } = upstream;
          const isIssuer = (named: string) => named === issuer;
          const { code } = readAnswer(answer, { state, issuer, isIssuer, needsIssuer: namesIssuer });
          const callback = new URL(callbackUrl);
          callback.search = new URLSearchParams({ code, state }).toString();
          const checks = { expectedState: state, pkceCodeVerifier: codeVerifier };
          const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks);
          const expected = { issuer, clientId: values.clientId, nonce, algorithms, keys: provider.keys, clock };
          const claims = await readIdToken(tokens[ID_TOKEN], expected);
          const identity = toIdentity(claims, [
            claims,
            await missingClaims(upstream, claims, tokens.access_token),
            userInAnswer(answer),
          ]);
          return { identity };
        }),
    };
  },
});

/** Some providers send name and e-mail at userinfo only. They are for display, so a failure must not prevent the sign-in. */
async function missingClaims(upstream: Upstream, claims: IdTokenClaims, accessToken: string): Promise<Claims> {
  if (isComplete(claims) || !upstream.server.userinfo_endpoint) return {};
  return oidc.fetchUserInfo(upstream.configuration, accessToken, claims.sub).catch(() => ({}));
}

/** Renews cached metadata and keys after a failed sign-in, as they may be the cause. A denial by the person is not a failure. */
async function renewing<T>(provider: Provider, work: () => Promise<T>): Promise<T> {
  try {
    return await translated(work);
  } catch (error) {
    if (!(error instanceof UpstreamError && error.reason === 'denied')) void provider.renew();
    throw error;
  }
}

/** Converts every error of openid-client into an UpstreamError with the innermost cause. */
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const found = innermost(error);
    if (found instanceof UpstreamError) throw found;
    throw new UpstreamError('invalid_answer', `the answer of the upstream is invalid: ${found.message}`, {
      cause: error,
    });
  }
}
