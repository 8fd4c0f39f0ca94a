/**
 * Proves what GitHub says about a person beyond their id: addresses, organisations and teams, in the shapes that GitHub documents, and
 * that an answer which is missing or cut off never counts as "no organisation".
 */
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/access/decision.ts';
import { indexOf, parseRuleList } from '../../../src/access/rules/rule-list.ts';
import { storedIdentity } from '../../../src/access/stored-identity.ts';
import type { Identity } from '../../../src/federation/connector.ts';
import { checks } from '../../contracts/connector.contract.ts';
import { open, person, signIn, start } from '../../support/github-stand-in.ts';
import { Reply, type Stage } from '../../support/upstream-stand-in.ts';

const USER = '/api/v3/user';
const ORGS = '/api/v3/user/orgs';
const TEAMS = '/api/v3/user/teams';
const EMAILS = '/api/v3/user/emails';

/** As documented at https://docs.github.com/en/rest/orgs/orgs#list-organizations-for-the-authenticated-user */
const acme = {
  login: 'Acme-Corp',
  id: 9919,
  node_id: 'MDEyOk9yZzk5MTk=',
  url: 'https://api.github.com/orgs/acme',
  description: null,
};
/** As documented at https://docs.github.com/en/rest/teams/teams#list-teams-for-the-authenticated-user */
const platform = { id: 1296269, slug: 'Platform', name: 'The Platform', privacy: 'closed', permission: 'admin', organization: acme }; // biome-ignore format: rows

const answers = (routes: Readonly<Record<string, unknown>>) => (stage: Stage) => {
  for (const [path, answer] of Object.entries(routes)) stage.routes.set(path, () => answer);
};

describe('GitHub: scopes', () => {
  it.each([
    [[], 'read:user user:email'],
    [['email', 'domain', 'user', 'subject'], 'read:user user:email'],
    [['org'], 'read:user user:email read:org'],
    [['team'], 'read:user user:email read:org'],
  ] as const)(
    'GitHub docs "Scopes for OAuth apps": for rules of the types %j the scopes are "%s"',
    async (needs, scope) => {
      const target = await open('https://github.example', 60, new Set(needs)).begin(checks);
      expect(target.searchParams.get('scope')).toBe(scope);
    },
  );

  it('GitHub docs "Authorizing OAuth apps": prompt=select_account shows the account picker', async () => {
    for (const options of [{ selectAccount: true }, { reauthenticate: true }]) {
      const target = await open('https://github.example').begin(checks, options);
      expect(target.searchParams.get('prompt')).toBe('select_account');
    }
  });

  it('organisations and teams are not asked for when no rule needs them', async () => {
    await using upstream = await start();
    await upstream.connector.finish(await upstream.signIn(await upstream.connector.begin(checks)), checks);
    expect(upstream.stage.asked).not.toContain(ORGS);
    expect(upstream.stage.asked).not.toContain(TEAMS);
  });
});

describe('GitHub: organisations, teams and names', () => {
  it('GitHub docs "List organizations for the authenticated user": names in lower case, and ids', async () => {
    const { memberships, organizations, incomplete } = await signIn(answers({ [ORGS]: [acme] }), ['org']);
    expect(memberships).toEqual({ user: ['octocat', '583231'], org: ['acme-corp', '9919'] });
    expect(organizations).toEqual([{ id: '9919', name: 'acme-corp' }]);
    expect(incomplete).toEqual({});
  });

  it('GitHub docs "List teams for the authenticated user": the organisation, the slug, and the id', async () => {
    const { memberships } = await signIn(answers({ [TEAMS]: [platform] }), ['team']);
    expect(memberships).toEqual({ user: ['octocat', '583231'], team: ['acme-corp/platform', '1296269'] });
  });

  it('a renamed user stays the same person, and another user with the old name does not become them', async () => {
    const renamed = await signIn(answers({ [USER]: { ...person, login: 'Hexacat' } }));
    const successor = await signIn(answers({ [USER]: { id: 42, login: 'octocat' } }));
    expect([renamed.subject, renamed.memberships?.user]).toEqual(['583231', ['hexacat', '583231']]);
    expect([successor.subject, successor.memberships?.user]).toEqual(['42', ['octocat', '42']]);
  });

  it("a stranger whose name is somebody else's id is known by their own id only", async () => {
    const routes = { [USER]: { id: 42, login: '583231' }, [ORGS]: [{ login: '9919', id: 43 }] };
    const { memberships } = await signIn(answers(routes), ['org']);
    expect(memberships).toEqual({ user: ['42'], org: ['43'] });
  });

  it('an organisation whose name looks like an id has no name, and none is reported if no rule or token needs it', async () => {
    const { organizations } = await signIn(answers({ [ORGS]: [{ login: '9920', id: 9919 }] }), ['org']);
    expect(organizations).toEqual([{ id: '9919' }]);
    expect((await signIn(answers({ [ORGS]: [acme] }))).organizations).toBeUndefined();
  });

  it('odd entries do not hide the others, and make the list incomplete', async () => {
    const odd = [null, 'acme', { login: 'no-id' }, { id: 7 }, { login: 7, id: 8 }];
    const routes = { [ORGS]: [...odd, acme], [TEAMS]: [...odd, { id: 9, slug: 'x', organization: null }, platform] };
    const { memberships, incomplete } = await signIn(answers(routes), ['org', 'team']);
    expect(memberships).toMatchObject({ org: ['acme-corp', '9919'], team: ['acme-corp/platform', '1296269'] });
    const reason = 'GitHub lists an entry in an unknown form';
    expect(incomplete).toEqual({ org: reason, team: reason });
  });

  it('GitHub docs "Using pagination in the REST API": every page is read', async () => {
    const pages = ({ routes }: Stage) =>
      routes.set(ORGS, (_, { url = '' }) => {
        const page = Number(new URL(url, 'http://x').searchParams.get('page'));
        const next = `<https://evil.example/user/orgs?page=${page + 1}>; rel="next", <https://x>; rel="last"`;
        return new Reply(200, [{ login: `org-${page}`, id: page }], page < 3 ? { link: next } : {});
      });
    expect((await signIn(pages, ['org'])).memberships?.org).toEqual(['org-1', '1', 'org-2', '2', 'org-3', '3']);
  });

  it('pages have a bound: a list that never ends is not complete', async () => {
    let asked = 0;
    const endless = ({ routes }: Stage) =>
      routes.set(ORGS, () => {
        asked += 1;
        return new Reply(200, [acme], { link: '<https://x>; rel="next"' });
      });
    const { incomplete } = await signIn(endless, ['org']);
    expect([asked, incomplete]).toEqual([10, { org: 'GitHub lists more than 1000' }]);
  });
});

describe('GitHub: what it does not tell', () => {
  it('GitHub docs "Authenticating to the REST API": organisations hidden by single sign-on make the list incomplete', async () => {
    const header = { 'x-github-sso': 'partial-results; organizations=21955855,20582480' };
    const hidden = ({ routes }: Stage) => routes.set(ORGS, () => new Reply(200, [acme], header));
    const { memberships, incomplete } = await signIn(hidden, ['org']);
    expect(memberships?.org).toEqual(['acme-corp', '9919']);
    expect(incomplete?.org).toMatch(/require single sign-on .*\(ids 21955855, 20582480\)$/);
  });

  it.each([
    [403, 'Resource not accessible by integration'],
    [404, 'Not Found'],
  ])('a list that GitHub refuses with %i is incomplete and not empty', async (status, message) => {
    const { subject, incomplete } = await signIn(answers({ [ORGS]: new Reply(status, { message }) }), ['org']);
    expect(subject).toBe('583231');
    expect(incomplete?.org).toMatch(new RegExp(`/user/orgs answered ${status}: ${message}$`));
  });

  it('the words of GitHub in a reason are one line without credentials, because the log shows the reason', async () => {
    const message = 'Bad\u001b[31m\ntoken gho_1234567890 Bearer abc123';
    const { incomplete } = await signIn(answers({ [ORGS]: new Reply(403, { message }) }), ['org']);
    expect(incomplete?.org).toMatch(/answered 403: Bad\\u001b\[31m token \[redacted\] Bearer \[redacted\]$/);
  });

  it.each([
    ['a server error', new Reply(502, '')],
    ['a rate limit', new Reply(403, {}, { 'x-ratelimit-remaining': '0' })],
    ['a secondary rate limit', new Reply(403, {}, { 'retry-after': '60' })],
    ['too many requests', new Reply(429, {})],
  ])('a list that GitHub does not give now fails the sign-in as unavailable: %s', async (_, reply) => {
    for (const [path, need] of [
      [ORGS, 'org'],
      [TEAMS, 'team'],
      [EMAILS, 'domain'],
    ] as const) {
      await expect(signIn(answers({ [path]: reply }), [need])).rejects.toMatchObject({ reason: 'unavailable' });
    }
  });

  it.each(['email', 'domain'] as const)('addresses that a rule of the type %s needs must be readable', async (need) => {
    const refused = answers({ [EMAILS]: new Reply(404, { message: 'Not Found' }) });
    await expect(signIn(refused, [need])).rejects.toMatchObject({ reason: 'invalid_answer', facts: { status: 404 } });
    expect(await signIn(refused)).toMatchObject({ subject: '583231', verifiedEmails: [] });
  });
});

describe('GitHub: addresses and claims', () => {
  /** As documented at https://docs.github.com/en/rest/users/emails#list-email-addresses-for-the-authenticated-user */
  const documented = [
    { email: 'spare@example.org', verified: true, primary: false, visibility: null },
    { email: 'victim@example.com', verified: false, primary: false, visibility: null },
    { email: 'octocat@github.com', verified: true, primary: true, visibility: 'public' },
  ];

  it('GitHub docs "List email addresses": only verified entries count, the primary one first', async () => {
    const identity = await signIn(answers({ [EMAILS]: documented }));
    expect(identity).toMatchObject({ email: 'octocat@github.com', verifiedEmails: ['octocat@github.com', 'spare@example.org'] });
    expect(identity.unverifiedEmail).toBeUndefined();
  }); // biome-ignore format: short

  it.each([['true'], [1], [null], [undefined]])('an address whose flag is %j is not verified', async (verified) => {
    const entry = { email: 'victim@example.com', primary: true, verified };
    expect((await signIn(answers({ [EMAILS]: [entry] }))).verifiedEmails).toEqual([]);
  });

  describe('a list of addresses that is not complete', () => {
    const mallory = { email: 'mallory@evil.example', verified: true };
    const bob = { email: 'bob@example.com', primary: true, verified: true };
    const endless = new Reply(200, [bob], { link: '<https://x>; rel="next"' });
    const decideOn = (identity: Identity, deny: string) =>
      decide(identity, { allow: indexOf(parseRuleList('anyone').rules), deny: indexOf(parseRuleList(deny).rules) });

    it.each([
      ['an entry whose flag is null', [{ ...mallory, primary: null }, bob], 'GitHub lists an entry in an unknown form'],
      ['an entry without an address', [{ verified: true }, bob], 'GitHub lists an entry in an unknown form'],
      ['more pages than are read', endless, 'GitHub lists more than 1000'],
    ])('%s: a denial by address or domain refuses the person, also on what is stored', async (_, list, reason) => {
      const identity = await signIn(answers({ [EMAILS]: list }), ['email']);
      expect(identity).toMatchObject({ incomplete: { email: reason }, email: bob.email });
      const stored = storedIdentity(identity, { has: (type) => type === 'email', claims: [] });
      for (const known of [identity, stored]) {
        for (const deny of [`email:${mallory.email}`, 'domain:evil.example']) {
          const refused = { isAllowed: false, reason: `${deny} can't be decided: ${reason}` };
          expect(decideOn(known, deny)).toMatchObject({
            ...refused,
            notes: [`the list for email is not complete: ${reason}`],
          });
        }
      }
      expect(decideOn(identity, 'user:mallory').isAllowed, 'another type of denial is decided').toBe(true);
    });
  });

  it('an address with invisible characters is not shown, and rules may deny it', async () => {
    const entry = { email: 'bob\u200b@example.com', primary: true, verified: true };
    const identity = await signIn(answers({ [EMAILS]: [entry] }));
    expect(identity).toMatchObject({ verifiedEmails: [entry.email], email: undefined, unverifiedEmail: undefined });
  });

  it('the claims are those that people cannot write into their own profile', async () => {
    const profile = {
      ...person,
      type: 'User',
      site_admin: false,
      company: '@acme',
      email: 'x@example.com',
      bio: 'staff',
    };
    const { claims } = await signIn(answers({ [USER]: profile }));
    expect(claims).toEqual({ id: 583231, login: 'octocat', type: 'User', site_admin: false });
  });
});
