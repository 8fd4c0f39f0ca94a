/** Proves that production does not start with a publicly known secret, in whichever setting it is. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisSettings } from '@mcp-oauth/shared/redis/settings';
import { loadConfig, optional, setting } from '@mcp-oauth/shared/settings/config';
import { secretKeys, text } from '@mcp-oauth/shared/settings/types';
import { describe, expect, it } from 'vitest';

const settings = {
  pin: optional({ env: 'PIN', doc: '', type: text(), secret: true }),
  keys: optional({ env: 'KEYS', doc: '', type: secretKeys(), secret: true }),
  label: optional({ env: 'LABEL', doc: '', type: text() }),
  late: setting({ env: 'LATE', doc: '', type: text(), secret: true, default: 'development-only-late' }),
  ...redisSettings,
};
const load = (env: Record<string, string>) => () => loadConfig(settings, { LATE: 'good', ...env });

const file = join(mkdtempSync(join(tmpdir(), 'secrets-')), 'pin');
writeFileSync(file, 'development-only-pin\n');
const key = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');
const drawn = key('0123456789abcdef0123456789abcdef');

describe('CWE-798 well-known secrets in production', () => {
  it.each([
    ['PIN', { PIN: 'development-only-pin' }],
    ['PIN', { PIN: 'a:Development-Only-b' }],
    ['PIN', { PIN_FILE: file }],
    ['LATE', { LATE: '' }],
    ['REDIS_URL', { REDIS_URL: 'redis://user:development-only-redis@redis' }],
    ['REDIS_PASSWORD', { REDIS_PASSWORD: 'development-only-redis' }],
    ['KEYS', { KEYS: key('development-only-storage-key-32b') }],
    ['KEYS', { KEYS: `${drawn}, ${key('development-only-storage-key-32b')}` }],
  ])('a well-known secret is refused by name in production: %s in %j', (name, env) => {
    expect(load(env)).not.toThrow();
    expect(load({ ...env, NODE_ENV: 'production' })).toThrow(
      new RegExp(`^${name}: is a secret of the development setup, which is public; [a-z ]+$`),
    );
  });

  it.each([Buffer.alloc(32), Buffer.alloc(32, 7)])(
    'CWE-1188 a key of one byte 32 times is refused in production, %#',
    (bytes) => {
      expect(load({ KEYS: key(bytes) })).not.toThrow();
      expect(load({ KEYS: `${drawn} ${key(bytes)}`, NODE_ENV: 'production' })).toThrow(
        /^KEYS: contains a key whose bytes/,
      );
    },
  );

  it('every other secret is accepted in production, and a setting that is no secret is not checked', () => {
    const env = { NODE_ENV: ' production', PIN: 'aaaa', KEYS: drawn, LABEL: 'development-only' };
    expect(load(env)).not.toThrow();
    expect(load({ ...env, PIN: 'development-only' })).toThrow(/^PIN: /);
  });
});
