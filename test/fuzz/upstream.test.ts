/**
 * Fuzzes what an identity provider answers: tokens, ID tokens, userinfo, keys and metadata, through a whole sign-in.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import github from '../../auth-server/src/connectors/github.connector.ts';
import oidc from '../../auth-server/src/connectors/oidc.connector.ts';
import { openConnectors } from '../../auth-server/src/federation/registry.ts';
import { Browser } from '../../auth-server/test/support/browser.ts';
import { authorizePath, register, type TestClient } from '../../auth-server/test/support/client.ts';
import { metadata, type Play, publicKey, settings, start } from '../../auth-server/test/support/oidc-stand-in.ts';
import type { RunningServer } from '../../auth-server/test/support/running-server.ts';
import { createStage, Reply, type Route, type Stage } from '../../auth-server/test/support/upstream-stand-in.ts';
import { fuzz } from './fuzz.ts';
import { type AuthTarget, openAuth } from './targets.ts';
import { oddJson, oddObject, oddText } from './values.ts';

const ISSUER = 'http://localhost:9000';

type SignInTarget = AuthTarget & { readonly server: RunningServer; readonly client: TestClient };

/** The part of a running server that a browser and a client need. */
const asServer = (target: AuthTarget): RunningServer => {
  const url = (path: string) => new URL(URL.canParse(path) ? path : `${ISSUER}/${path.replace(/^\//, '')}`);
  const go: RunningServer['fetch'] = (path, init) => {
    const { pathname, search } = url(path);
    return target.fetch(pathname + search, init);
  };
  return { issuer: ISSUER, url, fetch: go } as RunningServer;
};

async function withClient(target: AuthTarget): Promise<SignInTarget> {
  const server = asServer(target);
  return Object.assign(target, { server, client: await register(server) });
}

/** From the first page to the answer for the client, or the page for the person. */
async function signIn(
  { server, client }: SignInTarget,
  connector: string,
  leave: (upstream: URL) => URL | Promise<URL>,
): Promise<number[]> {
  const browser = new Browser(server);
  const { page } = await browser.follow(authorizePath(client));
  const { outside } = await browser.submit(page, 'approve', { connector });
  // When the upstream's metadata cannot be used, the client gets the error before the browser is sent away.
  if (!outside?.searchParams.has('state') || outside.origin === 'https://app.example') return [page?.status ?? 0];
  const back = await leave(outside);
  const end = await browser.follow(`/callback/${connector}${back.search}`);
  return [end.page?.status ?? 303];
}

/** Statuses that a page may have when the upstream cannot be used. */
const documented = [502, 503];

type OidcTarget = SignInTarget & { readonly play: Play; readonly token: Route };

async function openOidc(): Promise<OidcTarget> {
  const play = await start();
  const { connectors } = openConnectors(
    [{ id: 'acme', kind: oidc, title: 'Acme', settings: { ...settings, issuer: play.issuer } }] as Parameters<
      typeof openConnectors
    >[0],
    ISSUER,
    fetch,
  );
  const target = await withClient(await openAuth(connectors));
  const close = target[Symbol.asyncDispose];
  return Object.assign(target, {
    play,
    token: play.stage.routes.get('/token') ?? (() => undefined),
    [Symbol.asyncDispose]: async () => {
      await close();
      await play.stop();
    },
  });
}

/** Numbers out of range are dropped: the library that signs for the provider refuses them. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(JSON.stringify(JSON.parse(text)));
  } catch {
    return text;
  }
};

const members = (names: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .array(fc.tuple(fc.constantFrom(...names), oddJson), { minLength: 1, maxLength: 3 })
    .map((all) => Object.fromEntries(all.map(([name, text]) => [name, parsed(text)])));

const TOKEN_NAMES = [
  'access_token',
  'token_type',
  'id_token',
  'refresh_token',
  'scope',
  'expires_in',
  'error',
  'error_description',
  'x',
];
const CLAIM_NAMES = [
  'iss',
  'sub',
  'aud',
  'exp',
  'iat',
  'nonce',
  'azp',
  'nbf',
  'auth_time',
  'acr',
  'amr',
  'at_hash',
  'name',
  'email',
  'email_verified',
  'preferred_username',
  'hd',
];
const HEADER_NAMES = ['kid', 'typ', 'cty', 'jwk', 'x5c'];
const reply = fc
  .tuple(
    fc.constantFrom(200, 200, 201, 204, 301, 400, 401, 403, 404, 429, 500, 503),
    oddJson,
    fc.constantFrom('application/json', 'text/html', 'application/jwt', ''),
  )
  .map(([status, text, type]) => new Reply(status, status === 204 ? '' : text, type ? { 'content-type': type } : {}));

interface OidcAnswers {
  readonly token?: Record<string, unknown> | undefined;
  readonly claims?: Record<string, unknown> | undefined;
  readonly header?: Record<string, unknown> | undefined;
  readonly userinfo?: Reply | undefined;
  readonly answer?: Reply | undefined;
  readonly callback?: readonly (readonly [string, string])[] | undefined;
}

/** One kind of odd value at a time, so that the later checks are reached. */
const answers: fc.Arbitrary<OidcAnswers> = fc.oneof(
  fc.record({ token: members(TOKEN_NAMES) }),
  fc.record({ claims: members(CLAIM_NAMES) }),
  fc.record({ claims: members(CLAIM_NAMES), userinfo: reply }),
  fc.record({ header: members(HEADER_NAMES) }),
  fc.record({ userinfo: reply }),
  fc.record({ answer: reply }),
  fc.record({
    callback: fc.array(fc.tuple(fc.constantFrom('code', 'error', 'error_description', 'iss', 'state', 'x'), oddText), {
      maxLength: 3,
    }),
  }),
);

it('OpenID Connect Core §3.1.3 odd answers of an OpenID provider cause no server error', () =>
  fuzz<OidcAnswers, OidcTarget>({
    name: 'answers of an OpenID provider',
    share: 700,
    documented,
    open: openOidc,
    inputs: answers,
    send: (on, { token = {}, claims = {}, header = {}, userinfo, answer, callback = [] }) =>
      signIn(on, 'acme', async (upstream) => {
        const { play } = on;
        Object.assign(play, { members: token, claims, header });
        play.stage.routes.set('/userinfo', () => userinfo ?? { sub: play.subject });
        play.stage.routes.set('/token', answer ? () => answer : on.token);
        const back = await play.signIn(upstream);
        for (const [name, value] of callback) back.searchParams.set(name, value);
        return back;
      }),
  }));

it('OpenID Connect Discovery §4, RFC 7517 §5 odd metadata and keys of an OpenID provider cause no server error', () =>
  fuzz<readonly [Record<string, unknown> | undefined, readonly string[] | undefined], OidcTarget>({
    name: 'metadata and keys of an OpenID provider',
    share: 100,
    documented,
    open: openOidc,
    inputs: fc.tuple(
      fc.option(
        members([
          ...Object.keys(metadata('x')),
          'response_types_supported',
          'id_token_signing_alg_values_supported',
          'mtls_endpoint_aliases',
        ]),
        { nil: undefined },
      ),
      fc.option(
        fc.array(
          fc.oneof(
            oddJson,
            oddObject({ kty: 'RSA', kid: '1', n: 'AA', e: 'AQAB' }, [
              'kty',
              'kid',
              'use',
              'alg',
              'n',
              'e',
              'x5c',
              'key_ops',
            ]),
          ),
          { maxLength: 4 },
        ),
        { nil: undefined },
      ),
    ),
    // A new server for each input: the documents of a provider are remembered, and not fetched again.
    send: async (_, [said, keys]) => {
      await using on = await openOidc();
      const { stage, issuer } = on.play;
      if (said) stage.routes.set('/.well-known/openid-configuration', () => ({ ...metadata(issuer), ...said }));
      if (keys)
        stage.routes.set('/jwks', async () => ({
          keys: [...keys.map(parsed), { ...(await publicKey), alg: 'RS256', kid: '1' }],
        }));
      const statuses = await signIn(on, 'acme', (upstream) => on.play.signIn(upstream));
      const [fault] = on.watched.faults();
      if (fault) throw new Error(`in the log: ${fault}`);
      return statuses;
    },
  }));

type GithubTarget = SignInTarget & { readonly stage: Stage };

async function openGithub(): Promise<GithubTarget> {
  const stage = await createStage('/login/oauth/access_token');
  const given = { clientId: 'client', clientSecret: 'secret', timeout: 60, baseUrl: stage.url, apiUrl: stage.url };
  const { connectors } = openConnectors(
    [{ id: 'github', kind: github, title: 'GitHub', settings: given }] as Parameters<typeof openConnectors>[0],
    ISSUER,
    fetch,
  );
  const target = await withClient(await openAuth(connectors));
  const close = target[Symbol.asyncDispose];
  return Object.assign(target, {
    stage,
    [Symbol.asyncDispose]: async () => {
      await close();
      await stage.close();
    },
  });
}

it('RFC 6749 §5.1 odd answers of GitHub cause no server error', () =>
  fuzz<readonly [unknown, unknown, unknown], GithubTarget>({
    name: 'answers of GitHub',
    share: 400,
    documented,
    open: openGithub,
    inputs: fc.tuple(
      fc.oneof(
        members(TOKEN_NAMES).map((odd) => ({ access_token: 'x', token_type: 'bearer', ...odd })),
        fc.constant({ access_token: 'x', token_type: 'bearer' }),
        reply,
      ),
      fc.oneof(
        members(['id', 'login', 'name', 'email', 'avatar_url', 'type']).map((odd) => ({ id: 1, login: 'a', ...odd })),
        reply,
      ),
      fc.oneof(
        oddJson.map(parsed),
        fc.array(members(['email', 'primary', 'verified', 'visibility']), { maxLength: 3 }),
        reply,
      ),
    ),
    send: (on, [token, user, emails]) => {
      on.stage.routes.set('/login/oauth/access_token', () => token);
      on.stage.routes.set('/user', () => user);
      on.stage.routes.set('/user/emails', () => emails);
      return signIn(
        on,
        'github',
        (upstream) => new URL(`${ISSUER}/callback/github?code=x&state=${upstream.searchParams.get('state')}`),
      );
    },
  }));
