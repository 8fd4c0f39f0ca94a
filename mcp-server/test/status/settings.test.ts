/** Proves which settings of status lists are accepted at start. */
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { configProblems } from '../support/config-problems.ts';

describe('the settings of status lists', () => {
  it.each([
    [{ STATUS_GRACE: '4s' }, 'STATUS_GRACE: must not be shorter than STATUS_MAX_AGE'],
    [{ STATUS_GRACE: '46m' }, 'STATUS_GRACE: expected a duration'],
    [{ STATUS_MAX_AGE: '10m' }, 'STATUS_MAX_AGE: expected a duration'],
    [{ STATUS_MAX_AGE: '0' }, 'STATUS_MAX_AGE: expected a duration'],
    [{ STATUS_UNAVAILABLE: 'ignore' }, 'STATUS_UNAVAILABLE: expected one of refuse, accept'],
    [{ STATUS_LIST_ORIGINS: 'https://status.example.com/lists' }, 'STATUS_LIST_ORIGINS: expected origins'],
    [{ STATUS_LIST_ORIGINS: 'https://*.example.com' }, 'STATUS_LIST_ORIGINS: '],
  ])('%j ends the start, with the name of the variable', (env, problem) => {
    expect(configProblems(env)).toEqual([expect.stringContaining(problem)]);
  });

  it('STATUS_GRACE may be as long as each list of auth-server is valid at least', () => {
    expect(readConfig({ STATUS_GRACE: '45m' }).statusGrace).toBe(45 * 60);
  });

  it('in production a list is read over https only (RFC 6750 §5.3)', () => {
    const env = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://mcp.example.com',
      ISSUER: 'https://auth.example.com',
      STATUS_LIST_ORIGINS: 'http://status.example.com',
    };
    expect(configProblems(env)).toEqual([expect.stringContaining('STATUS_LIST_ORIGINS: must use https')]);
  });

  it('each of several issuers has its own origins, and its own origin is always one of them', () => {
    const { issuers } = readConfig({
      ISSUERS: 'a,b',
      ISSUER_A_URL: 'https://a.example/tenant',
      ISSUER_A_STATUS_LIST_ORIGINS: 'https://status.a.example',
      ISSUER_B_URL: 'https://b.example',
    });
    expect(issuers.map(({ rules }) => rules[0]?.statusOrigins)).toEqual([
      ['https://a.example', 'https://status.a.example'],
      ['https://b.example'],
    ]);
  });

  it('STATUS_MAX_AGE=off: no origin is one of a list', () => {
    expect(
      readConfig({ STATUS_MAX_AGE: 'off', STATUS_GRACE: '1s' }).issuers[0]?.rules[0]?.statusOrigins,
    ).toBeUndefined();
  });
});
