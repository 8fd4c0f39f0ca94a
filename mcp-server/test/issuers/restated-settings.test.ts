/** Proves which settings of restated metadata (ISSUER_METADATA=here) are accepted, and that every combination that cannot work is named. */
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { configProblems } from '../support/config-problems.ts';

const HERE = { ISSUER: 'https://id.example', PUBLIC_URL: 'https://mcp.example', ISSUER_METADATA: 'here' };
const CLIENT = { ISSUER_CLIENT_ID: 'mcp-client', ISSUER_CLIENT_REDIRECT_URIS: 'http://localhost/callback' };

describe('the settings of restated metadata', () => {
  it('clients read the metadata at the issuer unless a setting says otherwise', () => {
    expect(readConfig({ ISSUER: 'https://id.example' }).issuers[0]?.restated).toBeUndefined();
    expect(readConfig(HERE).issuers[0]?.restated).toEqual({
      client: undefined,
      dropsResource: false,
      pkce: false,
      setting: 'ISSUER_METADATA',
    });
  });

  it('client, redirect URIs, the dropped parameter and PKCE are those of the settings, also of one of several issuers', () => {
    const restated = {
      client: { id: 'mcp-client', redirectUris: ['http://localhost/callback'] },
      dropsResource: true,
      pkce: true,
    };
    const one = readConfig({ ...HERE, ...CLIENT, ISSUER_RESOURCE_PARAMETER: 'drop', ISSUER_PKCE_METHOD: 'S256' });
    expect(one.issuers[0]?.restated).toEqual({ ...restated, setting: 'ISSUER_METADATA' });
    const several = readConfig({
      PUBLIC_URL: 'https://mcp.example',
      ISSUERS: 'corp,other',
      ISSUER_OTHER_URL: 'https://other.example',
      ISSUER_CORP_URL: 'https://id.example',
      ISSUER_CORP_METADATA: 'here',
      ISSUER_CORP_CLIENT_ID: 'mcp-client',
      ISSUER_CORP_CLIENT_REDIRECT_URIS: 'http://localhost/callback',
      ISSUER_CORP_RESOURCE_PARAMETER: 'drop',
      ISSUER_CORP_PKCE_METHOD: 'S256',
    });
    expect(several.issuers.map((issuer) => issuer.restated)).toEqual([
      { ...restated, setting: 'ISSUER_CORP_METADATA' },
      undefined,
    ]);
  });

  it.each(['entra', 'cognito'])(
    'the preset %s says that the issuer does PKCE, and never that it refuses resource',
    (preset) => {
      const ISSUER = 'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0';
      const { issuers } = readConfig({ ...HERE, ISSUER, ISSUER_PRESET: preset });
      expect(issuers[0]?.restated).toMatchObject({ pkce: true, dropsResource: false });
    },
  );

  it('an issuer at the same host has its metadata at other places, if this server has a path', () => {
    expect(configProblems({ ...HERE, PUBLIC_URL: 'https://id.example/tools' })).toEqual([]);
  });

  it.each<[Environment, RegExp]>([
    [{ ISSUER_CLIENT_ID: 'a' }, /^ISSUER_CLIENT_ID: changes nothing without ISSUER_METADATA=here/],
    [{ ISSUER_CLIENT_REDIRECT_URIS: 'http://localhost/' }, /^ISSUER_CLIENT_REDIRECT_URIS: changes nothing without/],
    [{ ISSUER_RESOURCE_PARAMETER: 'drop' }, /^ISSUER_RESOURCE_PARAMETER: changes nothing without/],
    [{ ...HERE, ISSUER_CLIENT_ID: 'a' }, /^ISSUER_CLIENT_REDIRECT_URIS: is needed with ISSUER_CLIENT_ID/],
    [{ ...HERE, ISSUER_CLIENT_REDIRECT_URIS: 'http://localhost/' }, /^ISSUER_CLIENT_ID: is needed with/],
    [
      { ...HERE, ...CLIENT, ISSUER_CLIENT_REDIRECT_URIS: 'https://a.example/#b' },
      /^ISSUER_CLIENT_REDIRECT_URIS: expected/,
    ],
    [{ ...HERE, ...CLIENT, ISSUER_CLIENT_REDIRECT_URIS: '/callback' }, /^ISSUER_CLIENT_REDIRECT_URIS: expected/],
    [
      { ...HERE, ...CLIENT, ISSUER_CLIENT_REDIRECT_URIS: 'https://*.example/' },
      /^ISSUER_CLIENT_REDIRECT_URIS: .*wildcards/,
    ],
    [{ ...HERE, ISSUER_ANNOUNCED: 'false' }, /^ISSUER_METADATA: is here, but ISSUER_ANNOUNCED=false/],
    [{ ...HERE, ISSUER_METADATA: 'mcp-server' }, /^ISSUER_METADATA: expected one of issuer, here/],
    [
      { ...HERE, PUBLIC_URL: 'https://id.example' },
      /^ISSUER_METADATA: is here, where the metadata of https:\/\/id.example is already/,
    ],
    [
      {
        PUBLIC_URL: 'https://mcp.example',
        ISSUERS: 'a,b',
        ISSUER_A_URL: 'https://a.example',
        ISSUER_A_METADATA: 'here',
        ISSUER_B_URL: 'https://b.example',
        ISSUER_B_METADATA: 'here',
      },
      /^ISSUER_B_METADATA: only one issuer can have its metadata here, and ISSUER_A_METADATA says so/,
    ],
    [
      {
        PUBLIC_URL: 'https://mcp.example',
        ISSUERS: 'a,b',
        ISSUER_A_URL: 'https://a.example',
        ISSUER_A_METADATA: 'here',
        ISSUER_B_URL: 'https://mcp.example',
      },
      /^ISSUER_A_METADATA: is here, where the metadata of https:\/\/mcp.example is already/,
    ],
    [
      { ISSUERS: 'a', ISSUER_A_URL: 'https://a.example', ISSUER_A_CLIENT_ID: 'x' },
      /^ISSUER_A_CLIENT_ID: changes nothing without ISSUER_A_METADATA=here/,
    ],
  ])('the settings %j are refused at start', (env, expected) => {
    expect(configProblems(env)).toEqual([expect.stringMatching(expected)]);
  });
});
