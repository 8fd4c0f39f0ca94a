/** Proves over HTTP which rules count for the people of a connector: its own, the general ones, or both. */
import { describe, expect, it } from 'vitest';
import { type Play, start } from '../../support/oidc-stand-in.ts';
import { oidcAt, serve, signIn, tokensOf } from '../../support/provider-sign-in.ts';

const RESOURCES = JSON.stringify([
  { url: 'http://localhost:8080', scopes: { 'mcp:tools': 'Use the tools', 'mcp:admin': 'See the status' } },
]);
const ALICE = 'subject:alice';

async function withRules<T>(
  rules: Readonly<Record<string, string>>,
  work: (server: Awaited<ReturnType<typeof serve>>, upstream: Play) => Promise<T>,
  claims: Play['claims'] = {},
): Promise<T> {
  await using upstream = await start();
  upstream.claims = { sub: 'alice', ...claims };
  upstream.stage.routes.set('/userinfo', () => upstream.claims);
  await using server = await serve({ ...oidcAt(upstream), RESOURCES, ...rules });
  return await work(server, upstream);
}

/** Whether the person comes in, or the reason in the log why not. */
const admission = (rules: Readonly<Record<string, string>>) =>
  withRules(rules, async (server, upstream) => {
    const { outside, page } = await signIn(server, upstream);
    if (outside?.searchParams.has('code')) return 'comes in';
    expect(page?.status).toBe(403);
    return server.log.find(({ msg }) => msg === 'person refused')?.reason;
  });

describe('rules of a connector and rules in general', () => {
  it.each([
    ['PEOPLE_DENY', { PEOPLE_DENY: ALICE, CONNECTOR_ACME_DENY: 'subject:bob' }, `denied by ${ALICE}`],
    ['CONNECTOR_<ID>_DENY', { PEOPLE_DENY: 'subject:bob', CONNECTOR_ACME_DENY: ALICE }, `denied by ${ALICE}`],
    ['neither', { PEOPLE_DENY: 'subject:bob', CONNECTOR_ACME_DENY: 'subject:carol' }, 'comes in'],
  ])('both lists of denials count: a person whom %s names', async (_, rules, decision) => {
    expect(await admission(rules)).toBe(decision);
  });

  it.each([
    [ALICE, 'subject:bob', 'comes in'],
    ['subject:bob', ALICE, 'no rule allows this person'],
    ['', ALICE, 'comes in'],
  ])(
    'CONNECTOR_<ID>_ALLOW=%s replaces PEOPLE_ALLOW=%s, and where it is not set PEOPLE_ALLOW counts',
    async (own, all, decision) => {
      expect(await admission({ CONNECTOR_ACME_ALLOW: own, PEOPLE_ALLOW: all })).toBe(decision);
    },
  );

  it.each([
    [`mcp:admin=${ALICE}`, 'none', 'mcp:admin mcp:tools'],
    ['none', `mcp:admin=${ALICE}`, 'mcp:tools'],
    ['', `mcp:admin=${ALICE}`, 'mcp:admin mcp:tools'],
    ['', 'none', 'mcp:tools'],
  ])(
    'CONNECTOR_<ID>_SCOPE_RULES=%s replaces SCOPE_RULES=%s, and where it is not set SCOPE_RULES counts',
    async (own, all, scopes) => {
      const rules = { CONNECTOR_ACME_SCOPE_RULES: own, SCOPE_RULES: all };
      await withRules(rules, async (server, upstream) => {
        const { tokens } = await tokensOf(server, upstream, { scope: 'mcp:tools mcp:admin' });
        expect(String(tokens.scope).split(' ').sort().join(' ')).toBe(scopes);
      });
    },
  );
});

describe('an e-mail address that the provider does not verify', () => {
  const MALLORY = { email: 'mallory@evil.example', email_verified: false };

  it.each(['email:mallory@evil.example', 'domain:evil.example'])(
    'OpenID Connect Core §5.7 a denial by %s does not match, and the log says why the person came in',
    async (deny) => {
      await withRules(
        { CONNECTOR_ACME_DENY: deny },
        async (server, upstream) => {
          expect((await signIn(server, upstream)).outside?.searchParams.has('code')).toBe(true);
          expect(server.log.filter(({ msg }) => msg === 'rule not applied')).toMatchObject([
            {
              level: 'warn',
              connector: 'acme',
              reason: expect.stringContaining('does not say that the e-mail address is verified'),
            },
          ]);
        },
        MALLORY,
      );
    },
  );

  it('without a rule about addresses the log says nothing of them', async () => {
    await withRules(
      { CONNECTOR_ACME_DENY: 'subject:bob' },
      async (server, upstream) => {
        await signIn(server, upstream);
        expect(server.log.some(({ msg }) => msg === 'rule not applied')).toBe(false);
      },
      MALLORY,
    );
  });
});
