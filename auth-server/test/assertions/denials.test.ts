/** Proves that what an ID-JAG leaves out lets nobody in whom a rule denies, and that it never replaces what a sign-in said. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { expect, it } from 'vitest';
import { localSubject } from '../../src/federation/subject.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { startEnterprise } from '../support/enterprise.ts';

const ALICE = { email: 'alice@acme.example', email_verified: true };

it.each<readonly [what: string, env: Record<string, string>, said: object, denied: object]>([
  [
    'organisation',
    { CONNECTOR_OKTA_ORG_CLAIM: 'orgs', CONNECTOR_OKTA_DENY: 'org:contractors' },
    { orgs: ['staff'] },
    { orgs: ['contractors'] },
  ],
  // OpenID Connect Core 1.0 §5.1: at a sign-in `email_verified` says whether the address counts. Many ID-JAGs have no such claim.
  ['address', { CONNECTOR_OKTA_DENY: 'email:eve@acme.example' }, ALICE, { email: 'eve@acme.example' }],
  ['domain', { CONNECTOR_OKTA_DENY: 'domain:partner.example' }, ALICE, { email: 'eve@partner.example' }],
])(
  'a person whose %s a rule denies is refused, also if the ID-JAG does not say enough about it',
  async (_what, env, said, denied) => {
    await using enterprise = await startEnterprise(env);
    const { idJag, present, refused } = enterprise;
    expect(await refused(await idJag())).toMatchObject({
      error: 'invalid_grant',
      reason: expect.stringContaining("can't be decided"),
    });
    expect((await present(await idJag({ sub: 'bob', ...said }))).status).toBe(200);
    expect(await refused(await idJag({ sub: 'eve', ...denied }))).toMatchObject({ error: 'invalid_grant' });
  },
);

it('a sign-in that is stored while an ID-JAG of the same person is redeemed stays', async () => {
  const store = createSqliteStore(':memory:', systemClock);
  let issuer = '';
  const signedIn = () => ({
    accountId: localSubject({ issuer, subject: 'alice' }),
    connector: 'okta',
    identity: { issuer, subject: 'alice' },
    signedInAt: 1,
  });
  const get: typeof store.get = async (kind, id) => {
    const found = await store.get(kind, id);
    if (kind === 'Account' && !found) await store.put(kind, id, signedIn(), { ttl: 600 });
    return found;
  };
  await using enterprise = await startEnterprise({}, { store: { ...store, get } });
  issuer = enterprise.idp.url;
  expect((await enterprise.present(await enterprise.idJag())).status).toBe(200);
  expect((await store.get('Account', signedIn().accountId))?.value).toEqual(signedIn());
});
