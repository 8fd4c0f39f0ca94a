/** Proves that sign-in with Microsoft Entra ID reads addresses, subjects and groups as Microsoft documents them. */
import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import type { RuleType } from '../../src/federation/connector.ts';
import { checks } from '../contracts/connector.contract.ts';
import type { Play } from '../support/oidc-stand-in.ts';
import { signInAt, startPreset } from '../support/preset-stand-in.ts';
import { Reply } from '../support/upstream-stand-in.ts';
import { TENANT, VENDORS } from '../support/vendors.ts';

const { kind } = VENDORS.entra;
const OBJECT = '00000000-0000-0000-66f3-3332eca7ea81';
const GRAPH = '/v1.0/me/transitiveMemberOf';

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly needs?: readonly RuleType[];
  readonly change?: (play: Play) => void;
}

async function signIn(claims: JWTPayload, { env = {}, needs = [], change = () => {} }: Given = {}) {
  await using upstream = await startPreset(kind, VENDORS.entra, { env, needs });
  upstream.claims = { tid: TENANT, oid: OBJECT, ...claims };
  change(upstream);
  return { ...(await signInAt(upstream)), asked: upstream.stage.asked };
}

describe('entra: the e-mail address', () => {
  const email = 'victim@contoso.com';

  it.each([[true], ['true'], [1], ['1']])(
    'Microsoft docs "Optional claims reference": an address with xms_edov=%j is verified',
    async (flag) => {
      expect(await signIn({ email, xms_edov: flag })).toMatchObject({ email, verifiedEmails: [email] });
    },
  );

  it.each([
    ['no flag', {}],
    ['xms_edov false', { xms_edov: false }],
    ['xms_edov 0', { xms_edov: '0' }],
    ['a date', { xms_edov: '2026-01-01' }],
    ['a list', { xms_edov: [true] }],
    ['email_verified, which Entra does not define', { email_verified: true }],
  ])('Microsoft docs "Migrate away from using email claims": an address with %s is not verified', async (_, flag) => {
    const identity = await signIn({ email, preferred_username: email, upn: email, ...flag });
    expect(identity).toMatchObject({ verifiedEmails: [], unverifiedEmail: email, username: email });
    expect(identity.email).toBeUndefined();
  });

  it('userinfo is not asked, because it has nothing that the id token does not have', async () => {
    expect((await signIn({}, { needs: ['claim', 'domain'] })).asked.join()).not.toContain('userinfo');
  });
});

describe('entra: the subject', () => {
  it('Microsoft docs "ID token claims reference": sub by default, oid of the tenant where SUBJECT says so', async () => {
    expect(await signIn({})).toMatchObject({ subject: 'opaque|0001/ü' });
    const stable = await signIn({}, { env: { SUBJECT: 'oid' } });
    expect(stable.subject).toBe(OBJECT);
    expect(stable.issuer).toMatch(new RegExp(`/${TENANT}/v2\\.0$`));
  });

  it.each([[undefined], [null], [7], [[OBJECT]]])('an oid that is %j signs nobody in', async (oid) => {
    const failed = signIn({ oid }, { env: { SUBJECT: 'oid' } });
    await expect(failed).rejects.toMatchObject({ reason: 'invalid_answer', facts: { claim: 'oid' } });
  });
});

describe('entra: groups', () => {
  const group = (id: string) => ({ '@odata.type': '#microsoft.graph.group', id });
  /** As documented at https://learn.microsoft.com/en-us/security/zero-trust/develop/configure-tokens-group-claims-app-roles */
  const overage = {
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'https://graph.windows.net/tenant/users/me/getMemberObjects' } },
  };

  it('Microsoft docs "Configure group claims": groups and app roles of the id token', async () => {
    const { memberships, asked } = await signIn(
      { groups: ['g1'], roles: ['Task.Write'] },
      { needs: ['group', 'role'] },
    );
    expect(memberships).toEqual({ group: ['g1'], role: ['Task.Write'] });
    expect(asked).not.toContain(GRAPH);
  });

  it.each([
    ['_claim_names', overage],
    ['hasgroups', { hasgroups: true }],
  ])('Microsoft docs "Groups overage claim": with %s Microsoft Graph is asked, all pages', async (_, claims) => {
    let seen: (string | undefined)[] = [];
    const { memberships, incomplete } = await signIn(claims, {
      needs: ['group'],
      change: ({ stage }) =>
        stage.routes.set(GRAPH, (_form, { url = '', headers }) => {
          seen = [...seen, headers.authorization];
          const isFirst = !url.includes('$skiptoken');
          return {
            value: isFirst
              ? [group('g1'), { '@odata.type': '#microsoft.graph.directoryRole', id: 'r1' }]
              : [group('g2')],
            ...(isFirst && { '@odata.nextLink': `${stage.url}${GRAPH}?$skiptoken=2` }),
          };
        }),
    });
    expect(memberships?.group).toEqual(['g1', 'g2']);
    expect(incomplete).toEqual({});
    expect(seen).toEqual(['Bearer 1234567890', 'Bearer 1234567890']);
  });

  it('a question about a person that takes too long closes its request to Microsoft Graph', async () => {
    await using upstream = await startPreset(kind, VENDORS.entra, { needs: ['group'] });
    upstream.members = { refresh_token: 'refresh-1', expires_in: 300 };
    upstream.claims = { tid: TENANT, oid: OBJECT, ...overage };
    upstream.stage.routes.set(GRAPH, () => ({ value: [group('g1')] }));
    const page = await upstream.connector.begin(checks);
    const { session = {} } = await upstream.connector.finish(await upstream.signIn(page), checks);
    const question = new AbortController();
    const closed = Promise.withResolvers<void>();
    upstream.stage.routes.set(GRAPH, (_, { socket }) => {
      socket.once('close', closed.resolve);
      question.abort();
      return new Promise(() => {});
    });
    const asked = upstream.connector.recheck?.(session, async () => {}, question.signal);
    const message = expect.stringMatching(`${GRAPH} .* before the question was ended`);
    await expect(asked).rejects.toMatchObject({ reason: 'unavailable', message });
    await closed.promise;
  });

  it.each([
    [[], 'openid profile email offline_access'],
    [['group'], 'openid profile email User.Read offline_access'],
  ] as const)(
    'Microsoft docs "List a user\'s memberships": for rules of the types %j the scopes are "%s"',
    async (needs, scope) => {
      await using upstream = await startPreset(kind, VENDORS.entra, { needs });
      expect((await upstream.connector.begin(checks)).searchParams.get('scope')).toBe(scope);
    },
  );

  it('Microsoft Graph is not asked when no rule is about groups', async () => {
    const { asked, incomplete } = await signIn(overage, { needs: ['role'] });
    expect(asked).not.toContain(GRAPH);
    expect(incomplete).toEqual({ group: 'the provider refers to another place for the claim groups' });
  });

  it.each([
    ['a refusal', new Reply(403, { error: { code: 'Authorization_RequestDenied' } }), /answered 403$/],
    ['something else', new Reply(200, { value: 'g1' }), /answered 200 with an unexpected list$/],
    ['an odd entry', new Reply(200, { value: [group('g1'), { id: 7 }] }), /answered 200 with an unexpected list$/],
    [
      'a next page elsewhere',
      new Reply(200, { value: [], '@odata.nextLink': 'https://evil.example/v1.0/x' }),
      /next page elsewhere$/,
    ],
  ])('groups are incomplete, and not empty, after %s', async (_, reply, reason) => {
    const { incomplete } = await signIn(overage, {
      needs: ['group'],
      change: ({ stage }) => stage.routes.set(GRAPH, () => reply),
    });
    expect(incomplete?.group).toMatch(reason);
  });

  it('a check of claims from a file says that the groups are incomplete, and asks nobody', async () => {
    await using upstream = await startPreset(kind, VENDORS.entra, { needs: ['group'] });
    const identity = await upstream.connector.identify?.({ tid: TENANT, sub: 'alice', ...overage });
    expect(identity?.incomplete?.group).toBe('only a sign-in can ask Microsoft Graph');
    expect(upstream.stage.asked).toEqual([]);
  });

  it('pages have a bound: more than 2997 groups are incomplete', async () => {
    const { incomplete, asked } = await signIn(overage, {
      needs: ['group'],
      change: ({ stage }) =>
        stage.routes.set(GRAPH, () => ({ value: [group('g')], '@odata.nextLink': `${stage.url}${GRAPH}?x` })),
    });
    expect([incomplete?.group, asked.filter((path) => path === GRAPH).length]).toEqual([
      'Microsoft Graph lists more than 2997',
      3,
    ]);
  });

  it.each([new Reply(503, {}), new Reply(429, {})])(
    'a sign-in fails as unavailable while Microsoft Graph is down: %#',
    async (reply) => {
      const failed = signIn(overage, { needs: ['group'], change: ({ stage }) => stage.routes.set(GRAPH, () => reply) });
      await expect(failed).rejects.toMatchObject({ reason: 'unavailable' });
    },
  );
});
