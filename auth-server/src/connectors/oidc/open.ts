/**
 * Owns sign-in with an OpenID provider that can be discovered (OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4): with PKCE, state,
 * nonce and issuer. openid-client builds the requests; the other files of this folder validate the answers.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import * as oidc from 'openid-client';
import { readAnswer } from '../../federation/answer.ts';
import { type Connector, type ConnectorContext, type Identity, UpstreamError } from '../../federation/connector.ts';
import { innermost } from '../../federation/failure.ts';
import { type ClaimOptions, type Claims, collectClaims, emailVerified } from './claims.ts';
import { type IdTokenClaims, readIdToken } from './id-token.ts';
import { toIdentity, userInAnswer } from './identity.ts';
import { createLogout } from './logout/logout.ts';
import { sidOf } from './logout/logout-token.ts';
import { createProvider, type Provider, type Upstream } from './provider.ts';
import type { Quirks } from './quirks.ts';
import type { OidcSettings } from './settings.ts';
import { ID_TOKEN } from './token-answer.ts';

/** @param quirks what this kind of provider does differently from the others */
export function openOidc(values: OidcSettings, context: ConnectorContext, quirks: Quirks = {}): Connector {
  const provider = createProvider(values, context, quirks);
  const { clock = systemClock, callbackUrl, needs } = context;
  const options: ClaimOptions = {
    groupsClaim: values.groupsClaim,
    rolesClaim: values.rolesClaim,
    usernameClaim: quirks.usernameClaim ?? 'preferred_username',
    isVerified: quirks.isVerified ?? emailVerified,
  };

  /** @param inAnswer claims for display that came with the answer */
  async function identify(upstream: Upstream, idToken: IdTokenClaims, { accessToken, inAnswer }: Tokens) {
    const askUserInfo = quirks.skipsUserInfo ? undefined : userInfoOf(upstream, idToken.sub, accessToken);
    const sources = await collectClaims(idToken, { needs, options, askUserInfo });
    const identity: Identity = toIdentity(idToken, sources, inAnswer, options);
    return quirks.refine ? quirks.refine(identity, { idToken, accessToken }) : identity;
  }

  return {
    logout: createLogout(values, provider, { clock, quirks }),
    begin: (checks, { selectAccount } = {}) =>
      translated(async () => {
        const { configuration, prompts } = await provider.metadata.get();
        return oidc.buildAuthorizationUrl(configuration, {
          redirect_uri: callbackUrl,
          scope: [...new Set([...values.scopes.split(' '), ...(quirks.scopes?.() ?? [])])].join(' '),
          state: checks.state,
          nonce: checks.nonce,
          code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
          code_challenge_method: 'S256',
          ...(values.responseMode && { response_mode: values.responseMode }),
          ...quirks.parameters,
          ...(selectAccount && { prompt: quirks.accountPrompt ?? promptFrom(prompts) }),
        });
      }),
    identify: async (claims) => {
      const { iss = values.issuer, sub = '' } = claims;
      const identity = toIdentity({ iss: String(iss), sub: String(sub) }, [claims, {}], {}, options);
      return quirks.refine ? quirks.refine(identity, { idToken: claims, accessToken: undefined }) : identity;
    },
    finish: (answer, { state, nonce, codeVerifier }) =>
      renewing(provider, async () => {
        const upstream = await provider.metadata.get();
        const { configuration, issuer, algorithms, namesIssuer } = upstream;
        const isIssuer = (named: string) => quirks.acceptsIssuer?.(named) ?? named === issuer;
        const { code } = readAnswer(answer, { state, issuer, isIssuer, needsIssuer: namesIssuer });
        const callback = new URL(callbackUrl);
        callback.search = new URLSearchParams({ code, state }).toString();
        const checks = { expectedState: state, pkceCodeVerifier: codeVerifier };
        const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks);
        const { clientId } = values;
        const expected = { issuer, clientId, nonce, algorithms, keys: provider.keys, clock };
        const idToken = await readIdToken(tokens[ID_TOKEN], { ...expected, issuerOf: quirks.issuerOf });
        const accessToken = tokens.access_token;
        const identity = await identify(upstream, idToken, { accessToken, inAnswer: userInAnswer(answer) });
        return { identity, session: { sid: sidOf(idToken) } };
      }),
  };
}

interface Tokens {
  readonly accessToken: string;
  readonly inAnswer: Claims;
}

/**
 * OpenID Connect Core 1.0 §3.1.2.1: every provider understands `login`, which asks for an account as well; one that does not know
 * `select_account` may refuse the request.
 */
const promptFrom = (supported: readonly string[] = []): string =>
  supported.includes('select_account') ? 'select_account' : 'login';

function userInfoOf({ configuration, server }: Upstream, sub: string, accessToken: string) {
  if (!server.userinfo_endpoint) return undefined;
  return async (): Promise<Claims> => ({ ...(await oidc.fetchUserInfo(configuration, accessToken, sub)) });
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
