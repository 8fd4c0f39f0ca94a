/**
 * Owns sign-in with an OpenID provider that can be discovered (OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4): with PKCE, state,
 * nonce and issuer. openid-client builds the requests; the other files of this folder validate the answers.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import * as oidc from 'openid-client';
import { readAnswer } from '../../federation/answer.ts';
import {
  type Connector,
  type ConnectorContext,
  type Identity,
  type LoginChecks,
  UpstreamError,
} from '../../federation/connector.ts';
import { type ClaimOptions, type Claims, collectClaims, emailVerified } from './claims.ts';
import { type IdTokenClaims, isTime, readIdToken } from './id-token.ts';
import { toIdentity, userInAnswer } from './identity.ts';
import { createLogout } from './logout/logout.ts';
import { createProvider, renewing, translated, type Upstream } from './provider.ts';
import type { Quirks } from './quirks.ts';
import { askAgain, sessionOf } from './session/recheck.ts';
import type { OidcSettings } from './settings.ts';
import { ID_TOKEN } from './token-answer.ts';
import { createTools } from './tools/tools.ts';

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
    const { accessToken, inAnswer = {}, isOldIdToken, isForTools, signal } = tokens;
    const askUserInfo = hasUserInfo(upstream) ? userInfoOf(upstream, idToken.sub, accessToken) : undefined;
    const needed = { needs: isForTools ? undefined : needs, options, askUserInfo, isOld: isOldIdToken };
    const identity: Identity = toIdentity(idToken, await collectClaims(idToken, needed), inAnswer, options);
    const refining = { idToken, accessToken: isForTools ? undefined : accessToken, signal };
    return quirks.refine ? quirks.refine(identity, refining) : identity;
  }

  async function authorize(checks: LoginChecks, { scopes, parameters }: Authorization): Promise<URL> {
    const { configuration } = await provider.metadata.get();
    return oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: callbackUrl,
      scope: [...new Set([...values.scopes.split(' '), ...scopes, ...offlineScope])].join(' '),
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
      code_challenge_method: 'S256',
      ...(values.responseMode && { response_mode: values.responseMode }),
      ...(values.offlineAccess === 'access_type' && { access_type: 'offline' }),
      ...quirks.parameters,
      ...parameters,
    });
  }

  async function redeem(answer: URL, { state, nonce, codeVerifier }: LoginChecks) {
    const upstream = await provider.metadata.get();
    const { configuration, issuer, namesIssuer } = upstream;
    const isIssuer = (named: string) => quirks.acceptsIssuer?.(named) ?? named === issuer;
    const { code } = readAnswer(answer, { state, issuer, isIssuer, needsIssuer: namesIssuer });
    const callback = new URL(callbackUrl);
    callback.search = new URLSearchParams({ code, state }).toString();
    const checks = { expectedState: state, pkceCodeVerifier: codeVerifier };
    const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks);
    const idToken = await readIdToken(tokens[ID_TOKEN], { ...expectedOf(upstream), nonce });
    return { upstream, tokens, idToken };
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
        const { prompts } = await provider.metadata.get();
        const accountPrompt = selectAccount ? [quirks.accountPrompt ?? promptFrom(prompts)] : [];
        const choose = new Set([...(reauthenticate ? ['login'] : []), ...accountPrompt]);
        // OpenID Connect Core 1.0 §11: a provider may give offline access only if it asked the person for it in this request.
        const prompt = [...choose, ...(asksConsent ? ['consent'] : [])].join(' ');
        return authorize(checks, {
          scopes: quirks.scopes?.() ?? [],
          parameters: {
            ...(prompt && { prompt }),
            // OpenID Connect Core 1.0 §3.1.2.1: with it the id token has to say when the person signed in there.
            ...(reauthenticate && { max_age: '0' }),
          },
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
    finish: (answer, checks) =>
      renewing(provider, async () => {
        const { upstream, tokens, idToken } = await redeem(answer, checks);
        const accessToken = tokens.access_token;
        const identity = await identify(upstream, idToken, { accessToken, inAnswer: userInAnswer(answer) });
        const session = sessionOf(tokens, idToken, { hasUserInfo: hasUserInfo(upstream), clock });
        return { identity, session, authenticatedAt: isTime(idToken.auth_time) ? idToken.auth_time : undefined };
      }),
    tools: createTools(values, {
      provider,
      clock,
      quirks,
      signsIn: context.uses?.includes('sign-in') ?? true,
      authorize: (checks, request) => translated(() => authorize(checks, request)),
      redeem: (answer, checks) =>
        renewing(provider, async () => {
          const { upstream, tokens, idToken } = await redeem(answer, checks);
          const account = { accessToken: tokens.access_token, isForTools: true } as const;
          return { tokens, identity: await identify(upstream, idToken, account) };
        }),
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

interface Authorization {
  /** Beside SCOPES. */
  readonly scopes: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

interface Tokens {
  readonly accessToken: string;
  /** Whether only the account counts: no rule is about the person, and the token is for other requests. */
  readonly isForTools?: true;
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
