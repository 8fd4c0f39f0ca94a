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
import { type IdTokenClaims, isTime, readIdToken } from './id-token.ts';
import { toIdentity, userInAnswer } from './identity.ts';
import { createLogout } from './logout/logout.ts';
import { createProvider, type Provider, type Upstream } from './provider.ts';
import type { Quirks } from './quirks.ts';
import { askAgain, sessionOf } from './session/recheck.ts';
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

  const hasUserInfo = ({ server }: Upstream) => !quirks.skipsUserInfo && server.userinfo_endpoint !== undefined;

  async function identify(upstream: Upstream, idToken: IdTokenClaims, tokens: Tokens) {
    const { accessToken, inAnswer = {}, isOldIdToken, signal } = tokens;
    const askUserInfo = hasUserInfo(upstream) ? userInfoOf(upstream, idToken.sub, accessToken) : undefined;
    const sources = await collectClaims(idToken, { needs, options, askUserInfo, isOld: isOldIdToken });
    const identity: Identity = toIdentity(idToken, sources, inAnswer, options);
    return quirks.refine ? quirks.refine(identity, { idToken, accessToken, signal }) : identity;
  }

  const asksConsent = values.offlineAccess === 'consent';
  const offlineScope = values.offlineAccess === 'scope' || asksConsent ? ['offline_access'] : [];
  const expectedOf = ({ issuer, algorithms }: Upstream) => {
    const { clientId } = values;
    return { issuer, clientId, algorithms, keys: provider.keys, clock, issuerOf: quirks.issuerOf };
  };

  return {
    logout: createLogout(values, provider, { clock, quirks }),
    begin: (checks, { selectAccount, reauthenticate } = {}) =>
      translated(async () => {
        const { configuration, prompts } = await provider.metadata.get();
        const accountPrompt = selectAccount ? [quirks.accountPrompt ?? promptFrom(prompts)] : [];
        const choose = new Set([...(reauthenticate ? ['login'] : []), ...accountPrompt]);
        // OpenID Connect Core 1.0 §11: a provider may give offline access only if it asked the person for it in this request.
        const prompt = [...choose, ...(asksConsent ? ['consent'] : [])].join(' ');
        return oidc.buildAuthorizationUrl(configuration, {
          redirect_uri: callbackUrl,
          scope: [...new Set([...values.scopes.split(' '), ...(quirks.scopes?.() ?? []), ...offlineScope])].join(' '),
          state: checks.state,
          nonce: checks.nonce,
          code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
          code_challenge_method: 'S256',
          ...(values.responseMode && { response_mode: values.responseMode }),
          ...(values.offlineAccess === 'access_type' && { access_type: 'offline' }),
          ...quirks.parameters,
          ...(prompt && { prompt }),
          // OpenID Connect Core 1.0 §3.1.2.1: with it the id token has to say when the person signed in there.
          ...(reauthenticate && { max_age: '0' }),
        });
      }),
    identify: async (claims) => {
      const { iss = values.issuer, sub } = claims;
      const isOurs = quirks.acceptsIssuer ?? ((issuer: string) => issuer.replace(/\/$/, '') === values.issuer);
      if (typeof iss !== 'string' || (claims.iss !== undefined && !isOurs(iss))) {
        const facts = { claim: 'iss', expected: values.issuer, found: iss };
        throw new UpstreamError('invalid_answer', 'the claims name another issuer', facts);
      }
      // The caller refuses a subject that names nobody, as at a sign-in.
      const identity = toIdentity({ iss, sub: sub as string }, [claims, {}], {}, options);
      return quirks.refine ? quirks.refine(identity, { idToken: claims, accessToken: undefined }) : identity;
    },
    finish: (answer, { state, nonce, codeVerifier }) =>
      renewing(provider, async () => {
        const upstream = await provider.metadata.get();
        const { configuration, issuer, namesIssuer } = upstream;
        const isIssuer = (named: string) => quirks.acceptsIssuer?.(named) ?? named === issuer;
        const { code } = readAnswer(answer, { state, issuer, isIssuer, needsIssuer: namesIssuer });
        const callback = new URL(callbackUrl);
        callback.search = new URLSearchParams({ code, state }).toString();
        const checks = { expectedState: state, pkceCodeVerifier: codeVerifier };
        const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks);
        const idToken = await readIdToken(tokens[ID_TOKEN], { ...expectedOf(upstream), nonce });
        const accessToken = tokens.access_token;
        const identity = await identify(upstream, idToken, { accessToken, inAnswer: userInAnswer(answer) });
        const session = sessionOf(tokens, idToken, { hasUserInfo: hasUserInfo(upstream), clock });
        return { identity, session, authenticatedAt: isTime(idToken.auth_time) ? idToken.auth_time : undefined };
      }),
    recheckEvery: quirks.recheckEvery,
    recheck: (session, renewed, signal) =>
      renewing(provider, async () => {
        const upstream = (await provider.metadata.get()).until(signal);
        return askAgain(session, {
          configuration: upstream.configuration,
          hasUserInfo: hasUserInfo(upstream),
          clock,
          renewed,
          read: (token) => readIdToken(token, { ...expectedOf(upstream), nonce: undefined }),
          identify: (idToken, accessToken, isOldIdToken) =>
            identify(upstream, idToken, { accessToken, isOldIdToken, signal }),
        });
      }),
  };
}

interface Tokens {
  readonly accessToken: string;
  /** Claims for display that came with the answer. */
  readonly inAnswer?: Claims;
  /** Whether userinfo is asked although the id token has every claim. */
  readonly isOldIdToken?: boolean;
  /** Ends the requests that use the access token. */
  readonly signal?: AbortSignal;
}

/**
 * OpenID Connect Core 1.0 §3.1.2.1: every provider understands `login`, which asks for an account as well; one that does not know
 * `select_account` may refuse the request.
 */
const promptFrom = (supported: readonly string[] = []): string =>
  supported.includes('select_account') ? 'select_account' : 'login';

const userInfoOf =
  ({ configuration }: Upstream, sub: string, accessToken: string) =>
  async (): Promise<Claims> => ({ ...(await oidc.fetchUserInfo(configuration, accessToken, sub)) });

/** Renews cached metadata and keys after a failed sign-in, as they may be the cause. A denial, and the end of a session, are no failures. */
async function renewing<T>(provider: Provider, work: () => Promise<T>): Promise<T> {
  try {
    return await translated(work);
  } catch (error) {
    if (!(error instanceof UpstreamError && ['denied', 'ended'].includes(error.reason)))
      provider.renew().catch(() => {});
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
