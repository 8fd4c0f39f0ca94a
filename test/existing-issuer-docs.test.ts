/** Proves that production starts with the settings of the pages about existing issuers, and that each preset has its section. */
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../mcp-server/src/authorization/issuer/presets/table.ts';
import { readConfig } from '../mcp-server/src/config.ts';
import { documentedIssuers } from './support/documented-settings.ts';
import { GLEWLWYD, LEMONLDAP } from './support/issuer-settings.ts';

const SERVER = 'https://mcp.example.com';
const REST = { NODE_ENV: 'production', PUBLIC_URL: SERVER };
const documented = documentedIssuers();

describe('docs/existing-issuers', () => {
  it('every preset has a section with settings', () => {
    const shown = documented.map(([, env]) => env.ISSUER_PRESET).filter(Boolean);
    expect(shown.sort()).toEqual(Object.keys(PRESETS).sort());
  });

  it.each(documented)('%s: mcp-server starts with the settings of its section in production', (_, env) => {
    const { issuers } = readConfig({ ...REST, ...env });
    expect(issuers.map(({ url }) => url)).toEqual([env.ISSUER]);
  });

  it('the tests sign people in with the settings that the sections of LemonLDAP::NG and Glewlwyd show', () => {
    const shown = (product: string) => documented.find(([name]) => name === product)?.[1];
    expect(shown('LemonLDAP::NG')).toEqual({ ISSUER: 'https://auth.example.com', ...LEMONLDAP });
    expect(shown('Glewlwyd')).toEqual({ ISSUER: 'https://id.example.com/api/oidc', ...GLEWLWYD });
  });

  it.each(documented)('%s: a client is told the scope that the settings demand', (_, env) => {
    const { baseScope } = readConfig({ ...REST, ...env });
    expect(baseScope).toBe(env.BASE_SCOPE === 'none' ? undefined : (env.BASE_SCOPE ?? 'mcp:tools'));
  });
});
