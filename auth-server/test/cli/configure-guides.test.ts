/** Proves what `configure` tells an operator to do at each kind of identity provider before it asks anything. */
import { tmpdir } from 'node:os';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { describe, expect, it } from 'vitest';
import { configureCommand } from '../../src/cli/configure/configure.ts';
import { GUIDES } from '../../src/cli/configure/providers.ts';
import { discoverKinds } from '../../src/federation/registry.ts';

const all = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
/** The ways to sign in. */
const kinds = new Map([...all].filter(([, { tools }]) => !tools?.isAlone));
const command = { name: 'auth-server', summary: '', commands: [configureCommand(kinds, tmpdir())] };

/** The page of each vendor, or the name of its console where the address is the operator's own. */
const PAGES: Readonly<Record<string, string>> = {
  oidc: 'the administration of your OpenID provider',
  github: 'https://github.com/settings/developers',
  google: 'https://console.cloud.google.com/',
  entra: 'https://entra.microsoft.com/',
  keycloak: 'the administration console of Keycloak',
  auth0: 'https://manage.auth0.com',
  okta: 'the Okta Admin Console',
  cognito: 'https://console.aws.amazon.com/cognito',
  apple: 'https://developer.apple.com/account/',
  gitlab: 'https://gitlab.com/-/user_settings/applications',
};

/** Types of rules about something that a provider says only if it is set up there, in the words of the steps. */
const SET_UP: Readonly<Record<string, string>> = { group: 'group', role: 'role', org: 'organization' };

describe('the guide of configure', () => {
  it('there is one for every kind of identity provider', () => {
    expect(Object.keys(GUIDES).sort()).toEqual([...kinds.keys()].sort());
    expect(Object.keys(PAGES).sort()).toEqual([...kinds.keys()].sort());
  });

  it.each(Object.entries(GUIDES))('%s: the page to open comes first, then each step', async (type, { steps }) => {
    const { stdout } = await run(command, `configure --provider ${type} --server-url https://auth.example.com`);
    const [empty, page, ...lines] = stdout.split('\n');
    expect([empty, page]).toEqual(['', expect.stringMatching(/^Open ./)]);
    expect(page?.slice('Open '.length)).toContain(PAGES[type]);
    const callback = `https://auth.example.com/callback/${type}`;
    expect(lines.slice(0, steps.length)).toEqual(steps.map((step) => `  - ${step.replace('{callback}', callback)}`));
    expect(lines.filter((line) => line.includes(callback))).toHaveLength(1);
  });

  it.each(Object.entries(GUIDES))(
    '%s: the rule that it suggests is of a type that the kind supports',
    (type, guide) => {
      const [ruleType = ''] = guide.rule.split(':');
      expect(kinds.get(type)?.ruleTypes ?? ['domain', 'email', 'subject', 'group', 'role', 'claim']).toContain(
        ruleType,
      );
    },
  );

  const suggested = Object.entries(GUIDES).filter(([, { rule }]) => (rule.split(':')[0] ?? '') in SET_UP);
  it.each(suggested)('%s: a suggested rule about a group, role or organization has its step', (_, { rule, steps }) => {
    const about = SET_UP[rule.split(':')[0] ?? ''];
    expect(steps).toContainEqual(expect.stringMatching(new RegExp(`^For rules by ${about}: `)));
  });
});
