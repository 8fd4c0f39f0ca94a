/**
 * Proves that mcp-server alone, as a real process, serves SDK clients that sign in at an authorization server that we did not write,
 * and programs that bring the token of their platform; and which settings there and here that takes.
 */
import type { JWTHeaderParameters } from 'jose';
import { Events, type MutableToken, OAuth2Server, type TokenRequestIncomingMessage } from 'oauth2-mock-server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SHAPES } from '../../mcp-server/test/issuers/shapes.ts';
import { type Foreign, startForeign } from '../../mcp-server/test/support/foreign.ts';
import { signToken } from '../../mcp-server/test/support/issuer.ts';
import { ClientState } from '../support/client-state.ts';
import { drivers } from '../support/drivers.ts';
import { REDIRECT_URI, send } from '../support/oauth-client.ts';
import { ResourceServer } from '../support/resource-server.ts';

/** A client that the operator of the issuer registered: the issuer registers none itself. */
function registered(id: string, issuer: string): ClientState {
  const state = new ClientState(REDIRECT_URI);
  state.stored.client = { client_id: id, issuer };
  return state;
}

describe('oauth2-mock-server instead of auth-server', () => {
  let issuer: OAuth2Server;
  let server: ResourceServer;
  /** What the issuer writes into a token besides its defaults. */
  let more: (token: MutableToken, request: TokenRequestIncomingMessage) => void;

  beforeAll(async () => {
    issuer = new OAuth2Server();
    await issuer.issuer.keys.generate('RS256');
    await issuer.start(0, 'localhost');
    issuer.service.on(Events.BeforeTokenSigning, (token: MutableToken, request: TokenRequestIncomingMessage) => {
      // It writes an id token through the same event, with the client as `aud`.
      if (token.payload.aud === undefined) more(token, request);
    });
    server = await ResourceServer.start({
      ISSUER: String(issuer.issuer.url),
      TOKEN_TYPES: 'JWT',
      TOKEN_CLIENT_CLAIMS: 'none',
      BASE_SCOPE: 'none',
    });
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await issuer?.stop();
  });
  beforeEach(() => {
    more = ({ payload }, { body }) => Object.assign(payload, { aud: (body as { resource?: string }).resource });
  });

  /** Its authorization endpoint asks nobody. */
  async function signIn(url: URL): Promise<URL> {
    const { headers } = await fetch(url, { redirect: 'manual' });
    return new URL(headers.get('location') ?? '');
  }
  const tokensOf = async (grant: object): Promise<Record<string, string>> => {
    const body = new URLSearchParams({ client_id: 'desk', ...grant });
    return (await send(`${issuer.issuer.url}/token`, { method: 'POST', body })).json as Record<string, string>;
  };

  it.each(drivers)('RFC 8707 §2 $name signs in there and calls whoami', async (driver) => {
    const said = await server.signedIn(driver, registered('desk', String(issuer.issuer.url)), signIn);
    expect(said).toMatchObject({ subject: 'johndoe', issuer: issuer.issuer.url });
  });

  it('RFC 9068 §4 its tokens as they are by default are refused, because they say for no server', async () => {
    more = () => {};
    const { access_token: token = '' } = await tokensOf({ grant_type: 'password', username: 'ada' });
    const { answer, line } = await server.refusal(token);
    expect(answer.status).toBe(401);
    expect(line).toMatchObject({ reason: 'no_audience', setting: 'AUDIENCES, AUDIENCE_CLAIM' });
  });

  it('RFC 8707 §2 a token for another server is refused', async () => {
    const resource = 'https://other.example/mcp';
    const { access_token: token = '' } = await tokensOf({ grant_type: 'password', username: 'ada', resource });
    const { answer, line } = await server.refusal(token);
    expect(answer.status).toBe(401);
    expect(line).toMatchObject({ reason: 'wrong_audience', found: resource, setting: 'AUDIENCES' });
  });

  it('OpenID Connect Core §2 its id token is refused, although the header has the same type', async () => {
    const grant = { grant_type: 'password', username: 'ada', resource: `${server.url}/mcp` };
    const { id_token: token = '' } = await tokensOf(grant);
    const { answer, line } = await server.refusal(token);
    expect(answer.status).toBe(401);
    expect(line).toMatchObject({ reason: 'wrong_audience', found: 'desk' });
  });
});

describe('programs that bring the token of their platform', () => {
  let server: ResourceServer;
  const platforms: Record<string, Foreign> = {};

  beforeAll(async () => {
    platforms['github-actions'] = await startForeign();
    platforms.kubernetes = await startForeign();
    server = await ResourceServer.start({
      ISSUERS: 'ci,cluster',
      ISSUER_CI_URL: platforms['github-actions'].issuer.url,
      ISSUER_CI_PRESET: 'github-actions',
      ISSUER_CI_TOKEN_REQUIRED_CLAIMS: 'repository_owner_id=65',
      ISSUER_CI_TOKEN_SCOPE_MAP: 'octo-org/octo-repo=mcp:tools',
      ISSUER_CLUSTER_URL: platforms.kubernetes.issuer.url,
      ISSUER_CLUSTER_PRESET: 'kubernetes',
      ISSUER_CLUSTER_TOKEN_SCOPE_MAP: 'system:serviceaccount:ci:*=mcp:tools',
    });
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await Promise.all(Object.values(platforms).map(({ issuer }) => issuer.close()));
  });

  /** A token of the shape that the vendor documents. */
  function tokenOf(preset: string, claims: object = {}): Promise<string> {
    const { issuer, key } = platforms[preset] ?? expect.unreachable(preset);
    const shape = SHAPES[preset] ?? expect.unreachable(preset);
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, exp: now + 600 };
    const signed = { iss: issuer.url, ...shape.claims(server.url), ...times, ...claims };
    // Without a `typ` of its own, signToken would write at+jwt.
    const header = { typ: undefined, ...shape.header } as unknown as JWTHeaderParameters;
    return signToken({ key, claims: signed, header });
  }

  it.each([
    ['github-actions', 'a job', 'repo:octo-org/octo-repo:environment:prod'],
    ['kubernetes', 'a pod', 'system:serviceaccount:ci:deployer'],
  ])('%s: %s calls a tool without any secret', async (preset, _, subject) => {
    expect(await server.whoami(await tokenOf(preset))).toMatchObject({ subject, scopes: ['mcp:tools'] });
  });

  it('a job of another organisation and the token of a pod for the API server are refused', async () => {
    const other = await server.refusal(await tokenOf('github-actions', { repository_owner_id: '66' }));
    expect(other.line).toMatchObject({ reason: 'wrong_claim', setting: 'ISSUER_CI_TOKEN_REQUIRED_CLAIMS' });
    const aud = ['https://kubernetes.default.svc.cluster.local'];
    const api = await server.refusal(await tokenOf('kubernetes', { aud }));
    expect(api.line).toMatchObject({ reason: 'wrong_audience', setting: 'ISSUER_CLUSTER_AUDIENCES' });
    expect([other.answer.status, api.answer.status]).toEqual([401, 401]);
  });

  it('RFC 9728 §2 no client is told to sign in at a platform', async () => {
    const answer = await fetch(`${server.url}/.well-known/oauth-protected-resource/mcp`);
    expect(await answer.json()).not.toHaveProperty('authorization_servers');
  });
});
