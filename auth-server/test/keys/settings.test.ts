/** Proves that a server does not start with settings by which verifiers could not know the key of a valid token. */
import { readSettings } from '@mcp-oauth/shared/settings/config';
import { describe, expect, it } from 'vitest';
import { judgeKeys, keyPolicyOf, keySettings } from '../../src/keys/settings.ts';

const tokens = { accessTokenLifetime: 600, resources: [{ accessTokenLifetime: 3_600 }, {}] };
const read = (env: Readonly<Record<string, string>>) => {
  const { values, problems } = readSettings(keySettings, env);
  return { values: { ...values, ...tokens }, problems: [...problems, ...judgeKeys({ ...values, ...tokens })] };
};

describe('the settings of the keys', () => {
  it('the default settings rotate every 90 days, and publish 15 minutes ahead', () => {
    const { values, problems } = read({});
    expect(problems).toEqual([]);
    expect(keyPolicyOf(values as Parameters<typeof keyPolicyOf>[0])).toEqual({
      algorithm: 'ES256',
      rotation: 90 * 86_400,
      lead: 900,
      poll: 2,
      tokenLifetime: 3_600,
    });
  });

  it.each([
    [{ KEY_LEAD: '303s' }, 'KEY_LEAD: must be 304s or more: DOCUMENT_LIFETIME plus twice KEY_POLL'],
    [{ DOCUMENT_LIFETIME: '1h' }, 'KEY_LEAD: must be 3604s or more: DOCUMENT_LIFETIME plus twice KEY_POLL'],
    [
      { KEY_ROTATION: '4499s' },
      'KEY_ROTATION: must be 4500s or more: KEY_LEAD plus the longest lifetime of an access token',
    ],
    [
      { KEY_ROTATION: '0s' },
      'KEY_ROTATION: expected a duration such as 30s, 10m, 12h or 90d (from 1s to 3650d), or off (got "0s")',
    ],
    [{ SIGNING_ALGORITHM: 'HS256' }, 'SIGNING_ALGORITHM: expected one of ES256, EdDSA, RS256 (got "HS256")'],
  ])('the settings %j are refused', (env, message) => {
    expect(read(env).problems.map((problem) => `${problem.env}: ${problem.message}`)).toEqual([message]);
  });

  it.each(['accessTokenLifetimeConfidential', 'accessTokenLifetimeMachine'])(
    'the setting %s counts as a token lifetime',
    (name) => {
      const { values } = read({});
      const policy = keyPolicyOf({ ...values, [name]: 7_200 } as Parameters<typeof keyPolicyOf>[0]);
      expect(policy.tokenLifetime).toBe(7_200);
      expect(judgeKeys({ ...values, keyRotation: 8_000, [name]: 7_200 })).toHaveLength(1);
    },
  );

  it('the rotation can be turned off', () => {
    const { values, problems } = read({ KEY_ROTATION: 'off' });
    expect([values.keyRotation, problems]).toEqual([0, []]);
  });
});
