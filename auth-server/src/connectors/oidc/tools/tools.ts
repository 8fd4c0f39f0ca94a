/**
 * Owns the tokens of an OpenID provider for tools: how their scopes are requested beside those of the account (OpenID Connect Core 1.0
 * §11), which of them were given, and how the tokens are renewed and revoked (RFC 7009).
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import * as oidc from 'openid-client';
import type {
  Connected,
  Identity,
  LoginChecks,
  ToolAccess,
  ToolScopes,
  UpstreamSession,
} from '../../../federation/connector.ts';
import { type Provider, renewing, translated } from '../provider.ts';
import type { Quirks } from '../quirks.ts';
import { judging, refreshed } from '../session/recheck.ts';
import type { OidcSettings } from '../settings.ts';

/** A code that was redeemed. */
interface Redeemed {
  readonly tokens: oidc.TokenEndpointResponse;
  readonly identity: Identity;
}

interface Dependencies {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly quirks: Quirks;
  /** Whether people sign in with this connector too. */
  readonly signsIn: boolean;
  readonly authorize: (
    checks: LoginChecks,
    request: { readonly scopes: readonly string[]; readonly parameters: Readonly<Record<string, string>> },
  ) => Promise<URL>;
  readonly redeem: (answer: URL, checks: LoginChecks) => Promise<Redeemed>;
}

export function createTools(values: OidcSettings, dependencies: Dependencies): ToolAccess {
  const { provider, clock, quirks, signsIn, authorize, redeem } = dependencies;
  const given = givenOf(quirks.tools?.listedAs ?? ((scope) => scope));
  const parametersFor = ({ loginHint }: ToolScopes) => ({
    ...quirks.tools?.parameters,
    // Google and others give no second refresh token without it. Whoever connects an account asks for a long use.
    ...(['access_type', 'consent'].includes(values.offlineAccess) && { prompt: 'consent' }),
    ...(loginHint && { login_hint: loginHint }),
  });
  const ownApi = quirks.tools?.onBehalfOf;
  /** The tokens for these scopes; the refresh token stays the one of the person's consent. */
  async function exchanged(
    configuration: oidc.Configuration,
    tokens: Tokens,
    scopes: readonly string[],
  ): Promise<Tokens> {
    if (ownApi === undefined) return tokens;
    const forTools = await onBehalfOf(configuration, tokens.access_token, scopes);
    return { ...forTools, refresh_token: tokens.refresh_token };
  }
  const isRevocable = !(signsIn && quirks.tools?.revokesAll);
  return {
    begin: (checks, request) => {
      const scopes = ownApi === undefined ? request.scopes : [ownApi];
      return authorize(checks, { scopes, parameters: parametersFor(request) });
    },
    finish: async (answer, checks, requested): Promise<Connected> => {
      const { tokens: redeemed, identity } = await redeem(answer, checks);
      const tokens = await renewing(provider, async () =>
        exchanged((await provider.metadata.get()).configuration, redeemed, requested),
      );
      return { session: sessionOf(tokens, clock), scopes: given(requested, tokens), identity };
    },
    refresh: ({ session, scopes }, signal) =>
      renewing(provider, async () => {
        const { configuration } = (await provider.metadata.get()).until(signal);
        const renewed = await refreshed(configuration, session.refreshToken ?? '');
        const tokens = await judging(() => exchanged(configuration, renewed, scopes));
        // RFC 6749 §6: without a new refresh token the old one stays good.
        const next = { refreshToken: session.refreshToken, ...defined(sessionOf(tokens, clock)) };
        return { session: next, scopes: given(scopes, tokens) };
      }),
    isAccepted: ({ accessToken = '' }, signal) =>
      translated(async () => {
        const { configuration, server } = (await provider.metadata.get()).until(signal);
        if (server.userinfo_endpoint === undefined) return undefined;
        return acceptedAt(new URL(server.userinfo_endpoint), configuration, accessToken);
      }),
    ...(isRevocable && {
      revoke: ({ refreshToken, accessToken = '' }, signal) =>
        translated(async () => {
          const { configuration, server } = (await provider.metadata.get()).until(signal);
          if (server.revocation_endpoint === undefined) return;
          await oidc.tokenRevocation(configuration, refreshToken ?? accessToken);
        }),
    }),
  };
}

/** OpenID Connect Core 1.0 §5.3.3, RFC 6750 §3.1: 401 at userinfo is about the token. Another refusal says nothing about it. */
async function acceptedAt(
  userinfo: URL,
  configuration: oidc.Configuration,
  token: string,
): Promise<boolean | undefined> {
  const answer = await oidc.fetchProtectedResource(configuration, token, userinfo, 'GET').catch((error: unknown) => {
    if (error instanceof oidc.WWWAuthenticateChallengeError) return error.response;
    throw error;
  });
  await answer.body?.cancel();
  if (answer.ok) return true;
  return answer.status === 401 ? false : undefined;
}

/** Microsoft docs, "Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow". */
const onBehalfOf = (configuration: oidc.Configuration, assertion: string, scopes: readonly string[]) =>
  oidc.genericGrantRequest(configuration, 'urn:ietf:params:oauth:grant-type:jwt-bearer', {
    assertion,
    requested_token_use: 'on_behalf_of',
    scope: scopes.join(' '),
  });

/** The members of a token response that count here. */
interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string | undefined;
  readonly expires_in?: number | undefined;
  readonly scope?: string | undefined;
}

function sessionOf(
  { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetime }: Tokens,
  clock: Clock,
): UpstreamSession {
  return { accessToken, refreshToken, expiresAt: lifetime === undefined ? undefined : seconds(clock) + lifetime };
}

const defined = (session: UpstreamSession): UpstreamSession =>
  Object.fromEntries(Object.entries(session).filter(([, value]) => value !== undefined));

/** OpenID Connect Core 1.0 §5.4, §11: they are about the id token and the refresh token, and providers leave them out of the list. */
const ABOUT_SIGN_IN: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'offline_access']);

/** RFC 6749 §5.1: without a list all were given. */
const givenOf =
  (listedAs: (scope: string) => string) =>
  (requested: readonly string[], { scope: list }: { readonly scope?: string | undefined }): readonly string[] => {
    if (list === undefined) return requested;
    const listed = new Set(list.split(' ').map(listedAs));
    return requested.filter((scope) => ABOUT_SIGN_IN.has(scope) || listed.has(listedAs(scope)));
  };
