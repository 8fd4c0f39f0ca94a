/** Proves which settings of personal tokens a server starts with. */
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { discoverKinds } from '../../src/federation/registry.ts';
import { limitsOf } from '../../src/personal-tokens/settings.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
const read = (env: Record<string, string>) => readConfig(env, kinds);

describe('the settings of personal tokens', () => {
  it('personal tokens are off by default, and live for 90 days at most', () => {
    expect(limitsOf(read({}))).toEqual({ offered: 'off', lifetime: 90 * 86_400, scopes: undefined });
  });

  it.each([
    [{ PERSONAL_TOKENS: 'yes' }, 'PERSONAL_TOKENS: expected one of off, services, on'],
    [{ PERSONAL_TOKEN_LIFETIME: '2y' }, 'PERSONAL_TOKEN_LIFETIME: expected a duration'],
    [{ PERSONAL_TOKEN_LIFETIME: '367d' }, 'PERSONAL_TOKEN_LIFETIME: expected a duration'],
    [{ PERSONAL_TOKEN_SCOPES: 'notes:*' }, 'PERSONAL_TOKEN_SCOPES: expected each value in full'],
    [{ PERSONAL_TOKENS: 'on', STATUS_LISTS: 'off' }, 'PERSONAL_TOKENS: is on although STATUS_LISTS is off'],
  ])('a server does not start with %j', (env, problem) => {
    expect(() => read(env)).toThrow(problem);
  });
});
