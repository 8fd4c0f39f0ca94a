/** Proves who may use the pages of the operator: nobody by default, and then only whom the provider vouches for. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { beforeAll, describe, expect, it } from 'vitest';
import { isAdmin } from '../../src/access/admins.ts';
import { indexOf, parseRuleList } from '../../src/access/rules/rule-list.ts';
import { composeAccess } from '../../src/compose/access.ts';
import { readConfig } from '../../src/config.ts';
import type { Identity } from '../../src/federation/connector.ts';
import { type ConnectorKinds, discoverKinds } from '../../src/federation/registry.ts';

const person = (members: Partial<Identity>): Identity => ({ issuer: 'https://idp.example', subject: '1', ...members });
const admins = (text: string) => indexOf(parseRuleList(text).rules, []);

describe('ADMINS', () => {
  it('nobody is an admin without the setting', () => {
    expect(isAdmin(person({ verifiedEmails: ['alice@example.com'] }), undefined)).toBe(false);
  });

  it.each([
    ['email:Alice@example.com', person({ verifiedEmails: ['x@example.com', 'alice@EXAMPLE.com'] })],
    ['group:ops', person({ memberships: { group: ['dev', 'ops'] } })],
    ['domain:ops.example.com', person({ verifiedEmails: ['a@ops.example.com'] })],
  ])('%s names the person', (rules, identity) => {
    expect(isAdmin(identity, admins(rules))).toBe(true);
  });

  it.each([
    ['email:alice@example.com', person({ unverifiedEmail: 'alice@example.com' })],
    ['email:alice@example.com', person({ claims: { email: 'alice@example.com' } })],
    ['email:alice@example.com', person({ name: 'alice@example.com', username: 'alice@example.com' })],
    ['email:alice@example.com', person({ verifiedEmails: ['аlice@example.com'] })],
    ['email:alice@example.com', person({ email: 'alice@example.com', known: ['group'] })],
    ['group:ops', person({ memberships: { role: ['ops'], group: ['Ops', 'ops2'] } })],
    ['group:ops', person({ memberships: { group: [] }, incomplete: { group: 'too many' } })],
    ['anyone', person({ verifiedEmails: ['alice@example.com'] })],
  ])('%s does not name a person who only looks like it (%#)', (rules, identity) => {
    expect(isAdmin(identity, admins(rules))).toBe(false);
  });
});

describe('ADMINS and the connectors', () => {
  let kinds: ConnectorKinds;
  beforeAll(async () => {
    kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
  });
  const client = (id: string) => ({ [`CONNECTOR_${id}_CLIENT_ID`]: 'a', [`CONNECTOR_${id}_CLIENT_SECRET`]: 'b' });
  const TWO = { CONNECTORS: 'google,gitlab', ...client('GOOGLE'), ...client('GITLAB') };
  const accessOf = (env: Environment) =>
    composeAccess(readConfig({ ...TWO, ...env }, kinds), {
      clock: systemClock,
      log: createLogger('auth-server', 'silent'),
    });
  const account = (connector: string, members: Partial<Identity>) => ({
    accountId: 'a',
    connector,
    identity: person(members),
  });
  const alice = { verifiedEmails: ['alice@example.com'] };

  it('a list of a connector stands in place of the general one', async () => {
    const access = await accessOf({ ADMINS: 'email:alice@example.com', CONNECTOR_GITLAB_ADMINS: 'group:ops' });
    expect(access.hasAdmins).toBe(true);
    expect(await access.isAdmin(account('google', alice))).toBe(true);
    expect(await access.isAdmin(account('gitlab', alice))).toBe(false);
    expect(await access.isAdmin(account('gitlab', { memberships: { group: ['ops'] } }))).toBe(true);
    expect(await access.isAdmin(account('removed', alice))).toBe(false);
    expect((await accessOf({})).hasAdmins).toBe(false);
  });

  it('what the rules read is stored of a person, so that a later decision finds it', async () => {
    const access = await accessOf({ CONNECTOR_GITLAB_ADMINS: 'group:ops' });
    const stored = access.stored(account('gitlab', { ...alice, memberships: { group: ['ops'], role: ['x'] } }));
    expect(stored.identity.memberships).toEqual({ group: ['ops'] });
    expect(await access.isAdmin(stored)).toBe(true);
  });

  it.each([
    [{ ADMINS: 'anyone' }, 'ADMINS'],
    [{ CONNECTOR_GITLAB_ADMINS: 'email:a@example.com,anyone' }, 'CONNECTOR_GITLAB_ADMINS'],
    [{ CONNECTOR_GOOGLE_ADMINS: 'team:acme/x' }, 'CONNECTOR_GOOGLE_ADMINS'],
    [{ ADMINS: 'subject:583231' }, 'write it into CONNECTOR_GOOGLE_ADMINS'],
    [{ ADMINS: 'alice@example.com' }, 'ADMINS'],
  ])('%o stops the start', (env, words) => {
    expect(() => readConfig({ ...TWO, ...(env as Environment) }, kinds)).toThrow(words);
  });
});
