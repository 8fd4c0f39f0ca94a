/**
 * Proves that production starts with the settings of the pages about existing issuers, that each preset has its section, and that each
 * section says when to swap, how to set it up, what a token looks like and what was tried.
 */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../mcp-server/src/authorization/issuer/presets/table.ts';
import { readConfig } from '../mcp-server/src/config.ts';
import { documentedIssuers, issuerSections } from './support/documented-settings.ts';
import { GLEWLWYD, LEMONLDAP } from './support/issuer-settings.ts';

const SERVER = 'https://mcp.example.com';
const REST = { NODE_ENV: 'production', PUBLIC_URL: SERVER };
const documented = documentedIssuers();
const PARTS = ['Swap or in front', 'Set up', 'A token', 'Tried'];
const read = (page: string): string => readFileSync(new URL(`../${page}`, import.meta.url), 'utf8');

describe('docs/existing-issuers', () => {
  it('every preset has a section with settings', () => {
    const shown = documented.map(([, env]) => env.ISSUER_PRESET).filter(Boolean);
    expect(shown.sort()).toEqual(Object.keys(PRESETS).sort());
  });

  it.each(issuerSections)('$product: the section has its four parts in this order', ({ text }) => {
    const bold = [...text.matchAll(/^\*\*([^*]+?)\.?\*\*/gm)].map(([, part]) => part ?? '');
    expect(bold.filter((part) => PARTS.includes(part))).toEqual(PARTS);
  });

  it('docs/identity-providers.md leads to the section of each product', () => {
    const page = read('docs/identity-providers.md');
    const links = issuerSections.map(({ page: path, product }) => {
      const anchor = product.toLowerCase().replaceAll(' ', '-').replaceAll(':', '');
      return `](${path.replace('docs/', '')}#${anchor})`;
    });
    expect(links.filter((link) => !page.includes(link))).toEqual([]);
  });

  it.each(documented)('%s: mcp-server starts with the settings of its section in production', (_, env) => {
    const { issuers } = readConfig({ ...REST, ...env });
    expect(issuers.map(({ url }) => url)).toEqual([env.ISSUER]);
  });

  it('the settings of metadata that comes from here fit those of each product whose clients can sign in, in production', () => {
    const page = readFileSync(new URL('../docs/existing-issuers/metadata-from-here.md', import.meta.url), 'utf8');
    const [, block = ''] = /^```sh\n(ISSUER_METADATA=[\s\S]*?)^```$/m.exec(page) ?? [];
    const env = parseEnv(block);
    const products = documented.filter(
      ([, { ISSUER_PRESET = '' }]) => !/^(github-actions|kubernetes)$/.test(ISSUER_PRESET),
    );
    for (const [, settings] of products) {
      const [issuer] = readConfig({ ...REST, ...settings, ...env }).issuers;
      expect(issuer?.restated?.client?.id).toBe(env.ISSUER_CLIENT_ID);
    }
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
