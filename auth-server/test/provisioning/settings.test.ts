/** Proves that SCIM is off without a token, and that a token which could be guessed ends the start. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigError, Environment } from '@mcp-oauth/shared/settings/config';
import { describe, expect, it } from 'vitest';
import { scimTokensOf } from '../../src/compose/access.ts';
import { readConfig } from '../../src/config.ts';
import { discoverKinds } from '../../src/federation/registry.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
const TOKEN = 'a-token-of-acme-that-nobody-could-guess';
const ACME = {
  CONNECTORS: 'acme',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'client',
  CONNECTOR_ACME_CLIENT_SECRET: 'secret',
};

const tokensOf = (env: Environment) => scimTokensOf(readConfig({ ...ACME, ...env }, kinds).signIn);

const problemsOf = (env: Environment) => {
  try {
    return tokensOf(env);
  } catch (error) {
    return (error as ConfigError).problems;
  }
};

describe('CONNECTOR_<ID>_SCIM_TOKEN', () => {
  it('SCIM is off without a token', () => {
    expect(tokensOf({})).toEqual([]);
    expect(tokensOf({ CONNECTOR_ACME_SCIM_TOKEN: '' })).toEqual([]);
  });

  it('a token comes from the variable or from a file, for a connector of any kind', () => {
    expect(tokensOf({ CONNECTOR_ACME_SCIM_TOKEN: TOKEN })).toEqual([{ connector: 'acme', token: TOKEN }]);
    const folder = mkdtempSync(join(tmpdir(), 'scim-token-'));
    try {
      const file = join(folder, 'token');
      writeFileSync(file, `${TOKEN}\n`);
      expect(
        tokensOf({
          CONNECTORS: 'github',
          CONNECTOR_GITHUB_CLIENT_ID: 'client',
          CONNECTOR_GITHUB_CLIENT_SECRET: 'secret',
          CONNECTOR_GITHUB_SCIM_TOKEN_FILE: file,
        }),
      ).toEqual([{ connector: 'github', token: TOKEN }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['short', 'a'.repeat(31)],
    ['with a blank', `${TOKEN} x`],
    ['with a line break', `${TOKEN}\nx`],
    ['not ASCII', `${TOKEN}ä`],
    ['too long', 'a'.repeat(1_025)],
  ])('RFC 6750 §2.1 a token that is %s is refused, and is not repeated', (_, token) => {
    const problems = problemsOf({ CONNECTOR_ACME_SCIM_TOKEN: token });
    expect(problems).toEqual([{ env: 'CONNECTOR_ACME_SCIM_TOKEN', message: expect.stringContaining('expected 32') }]);
    expect(JSON.stringify(problems)).not.toContain(token);
  });

  it('SCIM with Microsoft Entra requires the object id as the subject, because Entra provisions no other one', () => {
    const entra = {
      CONNECTORS: 'entra',
      CONNECTOR_ENTRA_TENANT: '72f988bf-86f1-41af-91ab-2d7cd011db47',
      CONNECTOR_ENTRA_CLIENT_ID: 'client',
      CONNECTOR_ENTRA_CLIENT_SECRET: 'secret',
    };
    const withScim = { ...entra, CONNECTOR_ENTRA_SCIM_TOKEN: TOKEN };
    expect(problemsOf(entra)).toEqual([]);
    expect(problemsOf(withScim)).toMatchObject([{ env: 'CONNECTOR_ENTRA_SUBJECT' }]);
    expect(problemsOf({ ...withScim, CONNECTOR_ENTRA_SUBJECT: 'oid' })).toHaveLength(1);
    expect(tokensOf({ ...withScim, CONNECTOR_ENTRA_SUBJECT: 'oid' })).toMatchObject([{ connector: 'entra' }]);
  });

  it('a mistyped name is a mistake that names the setting', () => {
    expect(problemsOf({ CONNECTOR_ACME_SCIM_TOKN: TOKEN })).toMatchObject([
      { env: 'CONNECTOR_ACME_SCIM_TOKN', message: expect.stringContaining('CONNECTOR_ACME_SCIM_TOKEN') },
    ]);
  });
});
