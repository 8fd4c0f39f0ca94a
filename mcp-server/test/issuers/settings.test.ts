/** Proves which settings of issuers are accepted and which are refused at the start, each with its variable and what to do. */
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { strayVariable } from '@mcp-oauth/shared/settings/issuer-variables';
import { describe, expect, it } from 'vitest';
import { settingsOfSeveral } from '../../src/authorization/issuer/settings.ts';
import { readConfig } from '../../src/config.ts';
import { configProblems } from '../support/config-problems.ts';

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';

const rulesOf = (env: Environment) => readConfig(env).issuers.flatMap(({ rules }) => rules);

describe('the settings of one issuer', () => {
  it('a preset gives defaults, settings win, and required claims of both hold (RFC 9068 §4)', () => {
    const env = { ISSUER: 'https://cognito.example/pool', ISSUER_PRESET: 'cognito' };
    expect(rulesOf(env)).toMatchObject([
      { types: ['none'], clientClaims: ['client_id'], requiredClaims: [{ path: 'token_use', values: ['access'] }] },
    ]);
    expect(rulesOf({ ...env, TOKEN_TYPES: 'JWT', TOKEN_REQUIRED_CLAIMS: 'custom:org=acme' })).toMatchObject([
      {
        types: ['JWT'],
        requiredClaims: [
          { path: 'custom:org', values: ['acme'] },
          { path: 'token_use', values: ['access'] },
        ],
      },
    ]);
    expect(rulesOf({ ...env, TOKEN_REQUIRED_CLAIMS: 'token_use_case=x' })[0]?.requiredClaims).toHaveLength(2);
    expect(rulesOf({ ...env, TOKEN_REQUIRED_CLAIMS: 'token_use=access|other' })).toMatchObject([
      { requiredClaims: [{ path: 'token_use', values: ['access', 'other'] }] },
    ]);
  });

  it('a preset never names a claim that stands for the audience', () => {
    for (const ISSUER_PRESET of ['cognito', 'keycloak', 'kubernetes'])
      expect(rulesOf({ ISSUER: 'https://a.example/x', ISSUER_PRESET })[0]?.audienceClaim).toBeUndefined();
  });

  it.each([
    [{ ISSUER_PRESET: 'github-actions' }, /^TOKEN_REQUIRED_CLAIMS: .*more than one organisation.*repository_owner_id/],
    [
      { ISSUER_PRESET: 'github-actions', TOKEN_REQUIRED_CLAIMS: 'repository_visibility=private' },
      /^TOKEN_REQUIRED_CLAIMS: .*repository_owner_id/,
    ],
    [
      { ISSUER_PRESET: 'entra', ISSUER: 'https://login.microsoftonline.com/organizations/v2.0' },
      /^TOKEN_REQUIRED_CLAIMS: .*name yours by tid/,
    ],
    [
      { ISSUER_PRESET: 'entra', ISSUER: 'https://login.microsoftonline.com/common/' },
      /^TOKEN_REQUIRED_CLAIMS: .*name yours by tid/,
    ],
    [
      { ISSUER_PRESET: 'entra', ISSUER: 'https://login.microsoftonline.com/{tenantid}/v2.0' },
      /^ISSUER: no token has this issuer: name the id of your tenant/,
    ],
    [{ ISSUER_PRESET: 'entra', ISSUER: 'https://login.microsoftonline.com/consumers/v2.0' }, /^ISSUER: no token has/],
    [{ ISSUER_PRESET: 'entra', ISSUER: 'https://login.microsoftonline.com/acme.com/v2.0' }, /^ISSUER: no token has/],
    [{ ISSUER_PRESET: 'okta', ISSUER: 'https://acme.okta.com' }, /^ISSUER: .*org authorization server/],
    [{ ISSUER: 'https://a.example,https://b.example' }, /^ISSUER: expected an issuer/],
    [{ ISSUER_PRESET: 'google' }, /^ISSUER_PRESET: expected one of keycloak, entra/],
    [{ ISSUER_PRESET: 'constructor' }, /^ISSUER_PRESET: expected one of/],
    [{ TOKEN_REQUIRED_CLAIMS: 'tid' }, /^TOKEN_REQUIRED_CLAIMS: expected a claim and its values/],
    [{ TOKEN_REQUIRED_CLAIMS: 'hd=*' }, /^TOKEN_REQUIRED_CLAIMS: .*wildcards are not supported: hd=\*/],
    [
      { ISSUER_PRESET: 'github-actions', TOKEN_REQUIRED_CLAIMS: 'sub=repo:acme/tools:*' },
      /^TOKEN_REQUIRED_CLAIMS: .*wildcards are not supported/,
    ],
    [{ TOKEN_REQUIRED_CLAIMS: 'tid=' }, /^TOKEN_REQUIRED_CLAIMS: expected a claim and its values/],
    [{ AUDIENCE_CLAIM: 'client_id' }, /^AUDIENCE_CLAIM: expected a claim and its values/],
    [{ AUDIENCE_CLAIM: 'client_id=a*' }, /^AUDIENCE_CLAIM: .*wildcards are not supported/],
    [{ TOKEN_SCOPE_MAP: 'ops' }, /^TOKEN_SCOPE_MAP: expected their value and our scope/],
    [{ TOKEN_SCOPE_MAP: 'a*b*c=x' }, /^TOKEN_SCOPE_MAP: expected at most one \*/],
    [{ TOKEN_SUBJECT_CLAIMS: ' ' }, /^TOKEN_SUBJECT_CLAIMS: expected at least one value/],
    [{ TOKEN_TYPES: 'dpop+jwt' }, /^TOKEN_TYPES: expected some of at\+jwt, JWT, okta-internal-at\+jwt, none/],
  ])('the settings %j are refused', (env: Environment, expected) => {
    expect(configProblems(env)).toEqual([expect.stringMatching(expected)]);
  });

  it('tokens of several tenants have the issuer of a named tenant, and its tid', () => {
    const env = { ISSUER_PRESET: 'entra', TOKEN_REQUIRED_CLAIMS: `tid=${TENANT}|other` };
    const of = (ISSUER: string) => rulesOf({ ...env, ISSUER }).map(({ issuer }) => issuer);
    expect(of('https://login.microsoftonline.com/organizations/v2.0')).toEqual([
      `https://login.microsoftonline.com/${TENANT}/v2.0`,
      'https://login.microsoftonline.com/other/v2.0',
    ]);
    expect(of('https://login.microsoftonline.com/common')).toEqual([
      `https://sts.windows.net/${TENANT}/`,
      'https://sts.windows.net/other/',
    ]);
    expect(of(`https://sts.windows.net/${TENANT}/`)).toEqual([`https://sts.windows.net/${TENANT}/`]);
  });

  it('a claim that stands for the audience has its values after commas or bars', () => {
    for (const AUDIENCE_CLAIM of ['client_id=a,b', 'client_id=a|b', 'client_id=a, b'])
      expect(rulesOf({ AUDIENCE_CLAIM })[0]?.audienceClaim).toEqual({ path: 'client_id', values: ['a', 'b'] });
  });
});

describe('the settings of several issuers', () => {
  const CORP = { ISSUER_CORP_URL: 'https://corp.example' };
  const CI = { ISSUER_CI_PRESET: 'github-actions', ISSUER_CI_TOKEN_REQUIRED_CLAIMS: 'repository_owner_id=65' };

  it('each issuer has its own variables, or the members of an object in JSON', () => {
    const expected = [
      { id: 'corp', url: 'https://corp.example', announced: true, rules: [{ types: ['at+jwt'], clockTolerance: 9 }] },
      {
        id: 'ci',
        url: 'https://token.actions.githubusercontent.com',
        announced: false,
        rules: [{ types: ['JWT'], clientClaims: [], clockTolerance: 9 }],
      },
    ];
    const { issuers } = readConfig({ ISSUERS: 'corp,ci', CLOCK_TOLERANCE: '9s', ...CORP, ...CI });
    expect(issuers).toMatchObject(expected);
    expect(issuers[1]?.rules[0]?.variable('AUDIENCES')).toBe('ISSUER_CI_AUDIENCES');
    const json = {
      corp: { URL: 'https://corp.example' },
      ci: { PRESET: 'github-actions', TOKEN_REQUIRED_CLAIMS: ['repository_owner_id=65'], ANNOUNCED: false },
    };
    expect(readConfig({ ISSUERS: JSON.stringify(json), CLOCK_TOLERANCE: '9s' }).issuers).toMatchObject(expected);
  });

  it.each<[Environment, RegExp]>([
    [{ ISSUERS: 'corp' }, /^ISSUER_CORP_URL: is required/],
    [
      { ISSUERS: 'corp,ci', ...CORP, ISSUER_CI_PRESET: 'github-actions' },
      /^ISSUER_CI_TOKEN_REQUIRED_CLAIMS: .*organisation/,
    ],
    [
      { ISSUERS: 'corp', ...CORP, ISSUER_CORP_AUDIENCE: 'x' },
      /^ISSUER_CORP_AUDIENCE: .*issuer corp; did you mean ISSUER_CORP_AUDIENCES\?/,
    ],
    [{ ISSUERS: 'corp', ...CORP, ISSUER_CORP_ISSUER: 'x' }, /^ISSUER_CORP_ISSUER: is not a setting of the issuer corp/],
    [{ ISSUERS: 'corp', ...CORP, TOKEN_TYPES: 'JWT' }, /^TOKEN_TYPES: .*set ISSUER_CORP_TOKEN_TYPES instead/],
    [{ ISSUERS: 'corp', ...CORP, ISSUER_CORP_TOKEN_TYPES: 'x' }, /^ISSUER_CORP_TOKEN_TYPES: expected some of/],
    [{ ISSUERS: 'Corp', ...CORP }, /^ISSUERS: an id may only contain/],
    [{ ISSUERS: 'internal', ISSUER_INTERNAL_URL: 'https://x.example' }, /^ISSUERS: the id internal would use/],
    [{ ISSUERS: 'a_b' }, /^ISSUERS: an id may only contain/],
    [
      { ISSUERS: 'corp,other', ...CORP, ISSUER_OTHER_URL: 'https://corp.example' },
      /^ISSUERS: corp and other are the same issuer/,
    ],
    [
      { ISSUERS: '{"corp": {"URI": "https://x.example"}}' },
      /^ISSUERS: corp: "URI" is not a known member; did you mean "URL"/,
    ],
    [{ ISSUERS: '{"corp": {}' }, /^ISSUERS: expected ids separated by commas, or valid JSON \(line 1 column 12\)$/],
    [{ ISSUERS: '{"corp": 5}' }, /^ISSUERS: expected an object at "corp": /],
    [{ ISSUERS: '{"corp": {"TOKEN_TYPES": null}}' }, /^ISSUERS: expected a text, .* at "corp": "TOKEN_TYPES"$/],
    [{ ISSUERS: '{"corp": {"AUDIENCES": [{}]}}' }, /^ISSUERS: expected a text, .* at "corp": "AUDIENCES"$/],
    [
      { ISSUERS: '{"corp": {"URL": "https://x.example", "CLOCK_TOLERANCE": 5}}' },
      /^ISSUER_CORP_CLOCK_TOLERANCE: expected a duration/,
    ],
    [{ ISSUERS: '{}' }, /^ISSUERS: expected at least one id/],
    [
      { ISSUERS: '{"corp": {"URL": "https://x.example"}, "corp": {"URL": "https://y.example"}}' },
      /^ISSUERS: has "corp" twice in one object: keep one$/,
    ],
    [
      { ISSUERS: '{"corp": {"URL": "https://x.example", "URL": "https://y.example"}}' },
      /^ISSUERS: has "URL" twice in one object: keep one$/,
    ],
    [
      { ISSUERS: '{"corp": {"URL": "https://x.example"}, "__proto__": {"URL": "https://y.example"}}' },
      /^ISSUERS: has the member "__proto__", which nothing may be called: remove it$/,
    ],
    [{ ISSUERS: '{"corp": {"URL": "https://x.example"}}', ...CORP }, /^ISSUER_CORP_URL: is set here and in ISSUERS/],
    [
      {
        ISSUERS: 'corp',
        ISSUER_CORP_URL: 'http://corp.example',
        NODE_ENV: 'production',
        PUBLIC_URL: 'https://mcp.example.com',
      },
      /^ISSUER_CORP_URL: must use https in production/,
    ],
  ])('the settings %j are refused', (env, expected) => {
    expect(configProblems(env)[0]).toMatch(expected);
  });

  it('a number in JSON is a value, and so is true or false', () => {
    const json = { corp: { URL: 'https://corp.example', INTROSPECTION_LIMIT: 7, ANNOUNCED: false, AUDIENCES: [1, 2] } };
    expect(rulesOf({ ISSUERS: JSON.stringify(json) })).toMatchObject([{ audiences: ['1', '2'] }]);
  });

  it.each([
    ['a mistyped name', '{"corp": {"URL": "https://x.example", "INTROSPECTION_SECRET": "sesame-7"}}'],
    ['a comma too many', '{"corp": {"URL": "https://x.example", "INTROSPECTION_CLIENT_SECRET": "sesame-7",}}'],
    ['no quotes', '{"corp": {"INTROSPECTION_CLIENT_SECRET": sesame-7}}'],
    ['another value that is wrong', '{"corp": {"INTROSPECTION_CLIENT_SECRET": "sesame-7", "URL": null}}'],
    ['its own name', '{"corp": {"URL": "https://x.example", "INTROSPECTION_CLIENT_SECRET": "sesame-7"}}'],
  ])('CWE-532 a secret in the JSON of ISSUERS with %s is not repeated in the error', (_, ISSUERS) => {
    const found = configProblems({ ISSUERS });
    expect(found.length).toBeGreaterThan(0);
    expect(found.join()).not.toContain('sesame');
  });

  it('ISSUER and the place of its keys, which auth-server or compose set, are not used beside ISSUERS', () => {
    const others = { ISSUER: 'https://x.example', JWKS_URL: 'https://x.example/jwks' };
    expect(readConfig({ ISSUERS: 'corp', ...CORP, ...others }).issuers).toMatchObject([
      { url: 'https://corp.example', jwksUrl: undefined },
    ]);
  });

  it('an id whose variables begin like those of another id has its own', () => {
    const env = { ISSUERS: 'corp,corp-eu', ...CORP, ISSUER_CORP_EU_URL: 'https://eu.example' };
    expect(readConfig(env).issuers.map(({ url }) => url)).toEqual(['https://corp.example', 'https://eu.example']);
  });

  it('in production a variable of a named issuer is not taken for a mistyped setting', () => {
    const env = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://mcp.example.com',
      ISSUERS: 'x',
      ISSUER_X_URL: 'https://x.example',
    };
    expect(configProblems({ ...env, ISSUER_X_PRESET: 'keycloak' })).toEqual([]);
  });

  it.each(Object.values(settingsOfSeveral).map(({ env }) => env))(
    'the variable of an issuer that ISSUERS does not name is reported: …_%s',
    (member) => {
      const stray = strayVariable(`ISSUER_CROP_${member}`, { ISSUERS: 'corp' });
      expect(stray).toMatchObject({
        what: 'is for an issuer that ISSUERS does not name',
        meant: `ISSUER_CORP_${member}`,
      });
    },
  );
});
