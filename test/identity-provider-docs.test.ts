/** Proves that production starts with the settings on the page about identity providers, and that each kind has its section. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { GUIDES } from '../auth-server/src/cli/configure/providers.ts';
import { readConfig } from '../auth-server/src/config.ts';
import { type ConnectorKinds, discoverKinds } from '../auth-server/src/federation/registry.ts';
import { appleKey } from '../auth-server/test/support/vendors.ts';
import { connectorsOn } from './support/documented-settings.ts';

const page = connectorsOn('docs/identity-providers.md');

/** What the page leaves to the operator, and what production demands besides. */
const REST = {
  NODE_ENV: 'production',
  ISSUER: 'https://mcp.example.com',
  RESOURCES: 'https://mcp.example.com',
  STORAGE: 'sqlite',
  STORAGE_KEYS: randomBytes(32).toString('base64'),
  CONNECTOR_APPLE_PRIVATE_KEY: appleKey.pem,
};

let kinds: ConnectorKinds;
beforeAll(async () => {
  kinds = await discoverKinds(new URL('../auth-server/src/connectors/', import.meta.url));
});

it('docs/sign-out.md says of each kind whether its provider sends logout tokens', () => {
  const signOut = readFileSync(new URL('../docs/sign-out.md', import.meta.url), 'utf8');
  const rows = [...signOut.matchAll(/^\| ((?:`[a-z0-9]+`(?:, )?)+) \| (yes|no|if)\b/gm)];
  const said = rows.flatMap(([, types = '', word]) =>
    [...types.matchAll(/[a-z0-9]+/g)].map(([type]) => [type, word !== 'no']),
  );
  const real = [...kinds].map(([type, { settings }]) => [type, 'logoutEndsApprovals' in settings]);
  expect(said.sort()).toEqual(real.sort());
});

describe('docs/identity-providers.md', () => {
  it('each kind has a section with settings that start in production, and a rule', () => {
    const shown = page.map((env) => {
      const { signIn, tools } = readConfig({ ...REST, ...env }, kinds);
      expect(Object.keys(env).filter((name) => name.endsWith('_ALLOW'))).toHaveLength(1);
      return [...signIn, ...tools].map(({ kind }) => kind.type);
    });
    expect([...new Set(shown.flat())].sort()).toEqual([...kinds.keys()].sort());
  });

  it('the rules are of types that the kind supports', () => {
    for (const env of page) {
      const [name = '', allow = ''] = Object.entries(env).find(([variable]) => variable.endsWith('_ALLOW')) ?? [];
      const kind = kinds.get(env[name.replace('ALLOW', 'TYPE')] ?? String(env.CONNECTORS));
      const supported = kind?.ruleTypes ?? ['domain', 'email', 'subject', 'group', 'role', 'claim'];
      for (const rule of String(allow).split(',')) expect(supported, rule).toContain(rule.trim().split(':')[0]);
    }
  });

  it('the section of README.md starts in production, and ends with a rule', () => {
    const [env = {}] = connectorsOn('README.md');
    expect(readConfig({ ...REST, ...env }, kinds).signIn).toHaveLength(1);
    expect(Object.keys(env).at(-1)).toMatch(/_ALLOW$/);
  });

  it('a kind that needs the grant type Refresh Token is set up with it, on the page and by `npm run configure`', () => {
    const [recheck, providers] = ['recheck', 'identity-providers'].map((name) =>
      readFileSync(new URL(`../docs/${name}.md`, import.meta.url), 'utf8'),
    );
    const needing = [...String(recheck).matchAll(/^\| `(\w+)` \|.*needs the grant type \*\*Refresh Token\*\*/gm)];
    const sections = String(providers).split(/^## /m);
    for (const [, type = ''] of needing) {
      expect(GUIDES[type]?.steps.join(), type).toContain('Refresh Token');
      expect(
        sections.find((section) => section.toLowerCase().startsWith(`${type}\n`)),
        type,
      ).toContain('**Refresh Token**');
    }
    expect(needing.map(([, type]) => type)).toEqual(['auth0', 'okta']);
  });
});
