/** Proves RFC 8693 for a connector: the token of the account that the person has connected, or a link at which they connect one. */
import { createHash } from 'node:crypto';
import { systemClock } from '@mcp-oauth/shared/clock';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../src/federation/connector.ts';
import type { OpenTools } from '../../src/federation/registry.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { Browser } from '../support/browser.ts';
import { authorize, redeem, refresh, register, tokensFor, VERIFIER } from '../support/client.ts';
import {
  ACCESS_TOKEN,
  BILLING,
  exchange,
  GITHUB,
  otherPair,
  POLICY,
  proofOf,
  startExchange,
} from '../support/exchange.ts';
import { openPage, tokenIn } from '../support/page-visitor.ts';
import { form, MCP, type RunningServer, read, type ServerOptions } from '../support/running-server.ts';
import { comeBackFrom, decide, subjectOf, toolsUpstream } from '../support/tools-connector.ts';

const [mcpRule, billingRule] = POLICY.clients;
const policy = { clients: [{ ...mcpRule, connectors: ['github'] }, billingRule] };
const AT_GITHUB = { resource: undefined, audience: 'github' };

const start = (options: ServerOptions = {}, tools: OpenTools = toolsUpstream().tools) =>
  startExchange({ policy, ...options, env: { ...GITHUB, ...options.env }, tools: [tools] });

async function tokenOf(server: RunningServer, person = 'alice') {
  const client = await register(server);
  const { code } = await authorize(server, client, { scope: 'mcp:tools', resource: MCP }, { person });
  return { client, ...(await read(await redeem(server, client, code))) } as Record<string, unknown> & {
    readonly client: typeof client;
  };
}

/** The person opens the link and connects their account; `account` is its name there. */
async function connect(server: RunningServer, uri: unknown, { person = 'alice', account = 'octocat' } = {}) {
  const browser = new Browser(server);
  const link = String(uri);
  const { outside } = await decide(browser, link, await openPage(browser, link, person));
  const { hops } = await comeBackFrom(browser, outside, { code: account });
  expect(hops).toEqual(['/connect/done/github']);
}

async function connected(server: RunningServer, person = 'alice') {
  const tokens = await tokenOf(server, person);
  const { interaction_uri } = await read(await exchange(server, tokens.access_token, AT_GITHUB));
  await connect(server, interaction_uri, { person, account: `${person}-there` });
  return tokens;
}

describe('RFC 8693 §2.2 a token of an upstream', () => {
  it('without an account the answer is a link of ten minutes, and with one its token and no refresh token', async () => {
    await using server = await start();
    const { access_token } = await tokenOf(server);
    const before = await exchange(server, access_token, AT_GITHUB);
    expect(before.status).toBe(400);
    const said = await read(before);
    expect(said).toEqual({
      error: 'interaction_required',
      error_description: 'the user has not connected an account',
      interaction_uri: expect.stringMatching(/^http:\/\/localhost:9000\/connect\/[\w-]{43}$/),
      interaction_expires_in: 600,
      interaction_scope: 'upstream:github',
    });
    await connect(server, said.interaction_uri);
    const after = await exchange(server, access_token, AT_GITHUB);
    expect([after.status, after.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await read(after)).toEqual({
      access_token: 'token-of-octocat',
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      scope: 'read:user repo',
    });
  });

  it('a client that can show no link gets none, and each of its requests is in the audit', async () => {
    await using server = await start();
    const { access_token } = await tokenOf(server);
    const answer = await exchange(server, access_token, { ...AT_GITHUB, interaction: 'none' });
    expect([answer.status, await read(answer)]).toEqual([
      400,
      {
        error: 'interaction_required',
        error_description: 'the user has not connected an account',
        interaction_scope: 'upstream:github',
      },
    ]);
    expect(server.entries.at(-1)).toMatchObject({ event: 'exchange.refused', details: { target: 'connector github' } });
    for (const wrong of [
      { interaction: 'some' },
      { interaction: 'declined' },
      { interaction_uri: 'x'.repeat(2_049) },
    ]) {
      const odd = await exchange(server, access_token, { ...AT_GITHUB, ...wrong });
      expect([odd.status, (await read(odd)).error]).toEqual([400, 'invalid_request']);
    }
  });

  it('§2.1 a tool may ask for fewer scopes than the operator names, and for no others', async () => {
    await using server = await start();
    const { access_token } = await connected(server);
    const ask = async (scope: string) => {
      const answer = await exchange(server, access_token, { ...AT_GITHUB, scope });
      return [answer.status, (await read(answer)).error];
    };
    expect(await ask('repo')).toEqual([200, undefined]);
    expect(await ask('repo admin:org')).toEqual([400, 'invalid_scope']);
  });

  it('an exchange gives the account of the person of the subject token, and of nobody else', async () => {
    await using server = await start();
    const alice = await connected(server, 'alice');
    const bob = await tokenOf(server, 'bob');
    const answer = await read(await exchange(server, bob.access_token, AT_GITHUB));
    expect(answer.error).toBe('interaction_required');
    await connect(server, answer.interaction_uri, { person: 'bob', account: 'bob-there' });
    const tokens = [alice, bob].map(({ access_token }) => exchange(server, access_token, AT_GITHUB).then(read));
    expect((await Promise.all(tokens)).map((one) => one.access_token)).toEqual([
      'token-of-alice-there',
      'token-of-bob-there',
    ]);
  });

  it('RFC 9449 §5 a bound subject token gives a token too, because no token for an MCP server leaves with it', async () => {
    await using server = await start();
    const { client } = await connected(server);
    const { code } = await authorize(server, client, { scope: 'mcp:tools', resource: MCP });
    const body = { grant_type: 'authorization_code', client_id: client.id, redirect_uri: client.redirectUri, code };
    const headers = { dpop: await proofOf(otherPair) };
    const bound = await read(await server.fetch('/token', { ...form({ ...body, code_verifier: VERIFIER }), headers }));
    expect(bound.token_type).toBe('DPoP');
    expect((await exchange(server, bound.access_token, AT_GITHUB)).status).toBe(200);
  });

  it('a token that its API has refused is told by its digest; if the upstream accepts it no more, the person is asked again', async () => {
    const { tools, ended } = toolsUpstream();
    await using server = await start({}, tools);
    const { access_token } = await connected(server);
    const digest = (token: string) => createHash('sha256').update(token).digest('base64url');
    const other = await exchange(server, access_token, { ...AT_GITHUB, rejected_token: digest('another token') });
    expect((await read(other)).access_token).toBe('token-of-alice-there');
    const rejected = { ...AT_GITHUB, rejected_token: digest('token-of-alice-there') };
    ended.add('token-of-alice-there');
    for (const answer of [
      await exchange(server, access_token, rejected),
      await exchange(server, access_token, AT_GITHUB),
    ]) {
      expect([answer.status, await read(answer)]).toEqual([
        400,
        expect.objectContaining({
          error: 'interaction_required',
          error_description: 'the user has to connect the account again',
        }),
      ]);
    }
  });

  it('a token that its API has refused for another reason is given again, and the account stays connected', async () => {
    await using server = await start();
    const { access_token } = await connected(server);
    const digest = createHash('sha256').update('token-of-alice-there').digest('base64url');
    for (const more of [{ rejected_token: digest }, {}]) {
      const answer = await read(await exchange(server, access_token, { ...AT_GITHUB, ...more }));
      expect(answer.access_token).toBe('token-of-alice-there');
    }
  });

  it.each([
    ['the token itself', { ...AT_GITHUB, rejected_token: 'token-of-alice' }],
    ['two digests', { ...AT_GITHUB, rejected_token: ['a'.repeat(43), 'b'.repeat(43)] }],
    ['a digest for another MCP server', { rejected_token: 'a'.repeat(43) }],
  ])('a rejected_token that is %s is refused', async (_, parameters) => {
    await using server = await start();
    const { access_token } = await tokenOf(server);
    const answer = await exchange(server, access_token, parameters);
    expect([answer.status, (await read(answer)).error]).toEqual([400, 'invalid_request']);
  });

  it('RFC 6749 §5.2 while the upstream is away the answer says when to ask again, and no link is made', async () => {
    const base = toolsUpstream().tools;
    const session = { accessToken: 'short', refreshToken: 'canary-of-the-upstream', expiresAt: 1 };
    const access = {
      ...base.access,
      finish: async () => ({
        session,
        scopes: base.scopes,
        identity: { issuer: 'https://github.example', subject: '1' },
      }),
      refresh: () => Promise.reject(new UpstreamError('unavailable', 'no answer')),
    };
    await using server = await start({ env: { METRICS_PORT: '0' } }, { ...base, access });
    const { access_token } = await connected(server);
    const answer = await exchange(server, access_token, AT_GITHUB);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await read(answer)).toMatchObject({ error: 'temporarily_unavailable' });
    expect(server.entries.at(-1)).toMatchObject({
      event: 'exchange.refused',
      outcome: 'failed',
      client: 'mcp-server',
      details: { target: 'connector github' },
    });
    const { values } = await server.scrape();
    expect(values.get('auth_exchanges_total{target="github",result="interaction_required"}')).toBe(1);
    expect(values.get('auth_exchanges_total{target="github",result="temporarily_unavailable"}')).toBe(1);
    expect(JSON.stringify([server.log, server.entries])).not.toContain('canary-of-the-upstream');
  });
});

describe('MCP 2025-11-25 security best practices "Confused Deputy Problem": the client for which a tool acts', () => {
  const outcome = async (server: RunningServer, token: unknown) => {
    const answer = await read(await exchange(server, token, AT_GITHUB));
    return answer.access_token ?? answer.error_description;
  };
  const NOT_ALLOWED = 'the user has not allowed this client to use the account';

  it('an account that was connected for one client is not there for another one before its person allows it', async () => {
    await using server = await start();
    const first = await connected(server);
    const second = await tokenOf(server);
    expect(await outcome(server, second.access_token)).toBe(NOT_ALLOWED);
    const { interaction_uri } = await read(await exchange(server, second.access_token, AT_GITHUB));
    await connect(server, interaction_uri, { account: 'alice-there' });
    expect(await outcome(server, second.access_token)).toBe('token-of-alice-there');
    expect(await outcome(server, first.access_token), 'the first one keeps it').toBe('token-of-alice-there');
  });

  it('a refreshed token of the client is the same client, and a client that the person refused stays refused', async () => {
    await using server = await start();
    const { client, refresh_token } = await connected(server);
    const refreshed = await read(await refresh(server, client, refresh_token));
    expect(await outcome(server, refreshed.access_token)).toBe('token-of-alice-there');
    const other = await tokenOf(server);
    const { interaction_uri } = await read(await exchange(server, other.access_token, AT_GITHUB));
    const browser = new Browser(server);
    await decide(browser, String(interaction_uri), await openPage(browser, String(interaction_uri)), 'cancel');
    expect(await outcome(server, other.access_token)).toBe(NOT_ALLOWED);
  });

  it('a client whose access the person ends has to be allowed again, and one that signs out has not', async () => {
    await using server = await start();
    const first = await connected(server);
    await server.fetch('/revoke', form({ client_id: first.client.id, token: String(first.refresh_token) }));
    const again = async () => {
      const { code } = await authorize(server, first.client, { scope: 'mcp:tools', resource: MCP });
      return read(await redeem(server, first.client, code));
    };
    expect(await outcome(server, (await again()).access_token)).toBe('token-of-alice-there');
    const browser = new Browser(server);
    const page = await (await openPage(browser)).text();
    const body = new URLSearchParams({ token: tokenIn(page), id: /name="id" value="([^"]+)"/.exec(page)?.[1] ?? '' });
    expect((await browser.visit('/account/end-access', { method: 'POST', body })).status).toBe(303);
    expect(await outcome(server, (await again()).access_token)).toBe(NOT_ALLOWED);
  });

  it('another account at the upstream is allowed for the client that connected it alone', async () => {
    await using server = await start();
    const first = await connected(server);
    const second = await tokenOf(server);
    const { interaction_uri } = await read(await exchange(server, second.access_token, AT_GITHUB));
    await connect(server, interaction_uri, { account: 'work' });
    expect(await outcome(server, second.access_token)).toBe('token-of-work');
    expect(await outcome(server, first.access_token)).toBe(NOT_ALLOWED);
  });

  it('RFC 8693 §4.1 a chain acts for the client that the person uses: the servers between open no account for other clients', async () => {
    await using server = await startExchange({
      policy: { clients: [mcpRule, { ...billingRule, connectors: ['github'] }] },
      env: GITHUB,
      tools: [toolsUpstream().tools],
    });
    const inChain = async (token: unknown) => {
      const { access_token } = await read(await exchange(server, token));
      const caller = { id: 'billing-server', key: otherPair };
      return read(await exchange(server, access_token, AT_GITHUB, caller));
    };
    const [first, second] = [await tokenOf(server), await tokenOf(server)];
    const { interaction_uri } = await inChain(first.access_token);
    await connect(server, interaction_uri, { account: 'alice-there' });
    expect(server.entries.find(({ event }) => event === 'connection.made')?.client).toBe(first.client.id);
    expect((await inChain(first.access_token)).access_token).toBe('token-of-alice-there');
    expect(server.entries.at(-1)?.details).toMatchObject({
      subjectClient: first.client.id,
      actors: ['billing-server', 'mcp-server'],
    });
    expect((await inChain(second.access_token)).error_description).toBe(NOT_ALLOWED);
  });

  it('a client whose token has the scope upstream:github was allowed on the page of the sign-in', async () => {
    await using server = await start();
    await connected(server);
    const client = await register(server);
    const { code } = await authorize(server, client, { scope: 'mcp:tools upstream:github', resource: MCP });
    const { access_token, scope } = await read(await redeem(server, client, code));
    expect(scope).toBe('mcp:tools upstream:github');
    expect(await outcome(server, access_token)).toBe('token-of-alice-there');
  });
});

describe('what nobody gets by an exchange for a connector', () => {
  it('a client that the policy gives no connector, and a chain that is too long, get no token of anybody', async () => {
    const billing = { ...billingRule, connectors: ['github'], maxDepth: 1 };
    await using server = await start();
    await using chained = await startExchange({
      policy: { clients: [{ ...mcpRule, connectors: ['github'] }, billing] },
      env: GITHUB,
      tools: [toolsUpstream().tools],
    });
    for (const at of [server, chained]) {
      const { access_token } = await connected(at);
      const first = await read(await exchange(at, access_token));
      const caller = { id: 'billing-server', key: otherPair };
      const answer = await exchange(at, first.access_token, AT_GITHUB, caller);
      expect([answer.status, (await read(answer)).error]).toEqual([400, 'invalid_target']);
    }
  });

  it.each(['none', 'mcp:admin=email:nobody@acme.example'])(
    'SCOPE_RULES=%s says nothing of accounts, which the policy permits',
    async (rules) => {
      await using server = await start({ env: { SCOPE_RULES: rules } });
      const { access_token } = await connected(server);
      expect((await exchange(server, access_token, AT_GITHUB)).status).toBe(200);
    },
  );

  it.each(['upstream:github', 'upstream:*', '*'])(
    'a person to whom a rule for %s does not give the account gets neither a link nor a token, and the audit says why',
    async (pattern) => {
      await using server = await start({ env: { SCOPE_RULES: `${pattern}=email:alice@acme.example` } });
      const alice = await connected(server);
      expect((await exchange(server, alice.access_token, AT_GITHUB)).status).toBe(200);
      const bob = await tokenOf(server, 'bob');
      const refused = await exchange(server, bob.access_token, AT_GITHUB);
      expect([refused.status, await read(refused)]).toEqual([
        400,
        { error: 'invalid_grant', error_description: expect.stringContaining('rules of this server') },
      ]);
      expect(server.entries.at(-1)).toMatchObject({
        event: 'exchange.refused',
        who: subjectOf('bob'),
        reason: expect.stringContaining('no rule for scopes gives the person upstream:github'),
      });
    },
  );

  it('an approval that has ended gives no token, though the account stays connected', async () => {
    await using server = await start();
    const { client, access_token, refresh_token } = await connected(server);
    await server.fetch('/revoke', form({ client_id: client.id, token: String(refresh_token) }));
    const answer = await exchange(server, access_token, AT_GITHUB);
    expect([answer.status, (await read(answer)).error]).toEqual([400, 'invalid_request']);
  });

  it('a tool that asks and declines in a loop gets twenty links in ten minutes for one person, and others get theirs', async () => {
    await using server = await start();
    const { access_token } = await tokenOf(server);
    const ask = async (token: unknown) => {
      const answer = await exchange(server, token, AT_GITHUB);
      const { interaction_uri } = await read(answer);
      await exchange(server, token, {
        ...AT_GITHUB,
        interaction: 'declined',
        interaction_uri: String(interaction_uri),
      });
      return answer.status;
    };
    for (let n = 0; n < 20; n += 1) expect(await ask(access_token)).toBe(400);
    const refused = await exchange(server, access_token, AT_GITHUB);
    expect([refused.status, refused.headers.has('retry-after')]).toEqual([429, true]);
    expect((await read(refused)).error).toBe('too_many_pages');
    expect(await ask((await tokenOf(server, 'bob')).access_token)).toBe(400);
  });

  it('neither the log nor the audit has a token of an upstream, a subject token or a link', async () => {
    await using server = await start();
    const { access_token } = await tokenOf(server);
    const { interaction_uri } = await read(await exchange(server, access_token, AT_GITHUB));
    const handle = String(interaction_uri).split('/').at(-1) ?? '';
    const waiting = { ...AT_GITHUB, interaction: 'none', interaction_uri: String(interaction_uri) };
    await exchange(server, access_token, waiting);
    await connect(server, interaction_uri);
    await exchange(server, access_token, AT_GITHUB);
    const left = JSON.stringify([server.log, server.entries]);
    for (const secret of ['token-of-octocat', handle, String(access_token).split('.')[1] ?? '']) {
      expect(left).not.toContain(secret);
    }
    const ofExchanges = server.entries.filter(({ event }) => /exchange/.test(event));
    expect(ofExchanges.map(({ event, outcome, details }) => [event, outcome, details?.target])).toEqual([
      ['exchange.refused', 'refused', 'connector github'],
      ['token.exchanged', 'ok', 'connector github'],
    ]);
  });

  it('the vault is not read by requests that ask for no token of an upstream', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    let reads = 0;
    const counting: RecordStore = {
      ...store,
      get: (kind, id) => {
        if (kind === 'UpstreamSession') reads += 1;
        return store.get(kind, id);
      },
    };
    await using server = await start({ store: counting });
    const { client, access_token, refresh_token } = await connected(server);
    reads = 0;
    expect((await refresh(server, client, refresh_token)).status).toBe(200);
    expect((await tokensFor(server, client)).access_token).toEqual(expect.any(String));
    expect((await exchange(server, access_token)).status).toBe(200);
    expect((await exchange(server, access_token, { ...AT_GITHUB, audience: 'google' })).status).toBe(400);
    expect((await exchange(server, 'a.b.c', AT_GITHUB)).status).toBe(400);
    expect((await exchange(server, access_token, { resource: BILLING, scope: 'nothing' })).status).toBe(400);
    expect(reads).toBe(0);
    expect((await exchange(server, access_token, AT_GITHUB)).status).toBe(200);
    expect(reads).toBe(1);
  });
});
