import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig, optional, setting } from '@mcp-oauth/shared/settings/config';
import { settingsExample, settingsTable } from '@mcp-oauth/shared/settings/docs';
import {
  baseUrl,
  duration,
  exactList,
  flag,
  list,
  oneOf,
  origin,
  origins,
  ownIssuer,
  port,
  text,
  url,
} from '@mcp-oauth/shared/settings/types';
import { describe, expect, it } from 'vitest';

const settings = {
  port: setting({ env: 'PORT', doc: 'Where to listen.', type: port(), default: '8080' }),
  publicUrl: setting({ env: 'PUBLIC_URL', doc: 'What people type.', type: origin() }),
  lifetime: setting({ env: 'LIFETIME', doc: 'How long.', type: duration(60), default: '10m' }),
  secret: optional({ env: 'SECRET', doc: 'Never tell.', type: text(), secret: true }),
};
const problemsOf = (env: Record<string, string>) => {
  try {
    loadConfig(settings, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
  }
  return [];
};

describe('configuration', () => {
  it('a configuration has typed values and validated defaults, and is frozen', () => {
    const config = loadConfig(settings, { PUBLIC_URL: 'https://MCP.example.com/', PORT: '' });
    expect(config).toEqual({ port: 8080, publicUrl: 'https://mcp.example.com', lifetime: 600, secret: undefined });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('a configuration error lists every problem, each with its variable and the expected value', () => {
    expect(problemsOf({ PORT: 'abc', LIFETIME: '5s' })).toEqual([
      { env: 'PORT', message: 'expected a whole number from 0 to 65535 (got "abc")' },
      { env: 'PUBLIC_URL', message: 'is required but not set' },
      {
        env: 'LIFETIME',
        message: 'expected a duration such as 30s, 10m, 12h or 90d (from 60s to 3650d) (got "5s")',
      },
    ]);
  });

  it.each([
    [90, '90s'],
    [300, '5m'],
    [7_200, '2h'],
    [86_400, '1d'],
  ])('a duration of at most %d seconds says so as %s', (max, text) => {
    const some = { age: setting({ env: 'AGE', doc: '', type: duration(0, max) }) };
    expect(() => loadConfig(some, { AGE: '999d' })).toThrow(`(from 0s to ${text})`);
  });

  it('a secret is read from its file, and a missing or empty file is named', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'secret');
    writeFileSync(file, 'sesame\n');
    expect(loadConfig(settings, { PUBLIC_URL: 'http://localhost:1', SECRET_FILE: file }).secret).toBe('sesame');
    const missing = problemsOf({ PUBLIC_URL: 'http://localhost:1', SECRET_FILE: '/nowhere/secret' });
    expect(missing).toEqual([
      { env: 'SECRET', message: "the file in SECRET_FILE, /nowhere/secret, can't be read (ENOENT)" },
    ]);
    writeFileSync(file, '\n');
    expect(problemsOf({ PUBLIC_URL: 'http://localhost:1', SECRET_FILE: file })).toEqual([
      { env: 'SECRET', message: `the file in SECRET_FILE, ${file}, is empty` },
    ]);
  });

  it('an error never repeats the value of a secret', () => {
    const secret = { pin: setting({ env: 'PIN', doc: '', type: port(), secret: true }) };
    expect(() => loadConfig(secret, { PIN: 'hunter2' })).toThrow(/^PIN: expected a whole number from 0 to 65535$/);
    const document = { document: setting({ env: 'DOCUMENT', doc: '', type: port(), mayHoldSecret: true }) };
    expect(() => loadConfig(document, { DOCUMENT: '{"pin": "hunter2"}' })).toThrow(/^DOCUMENT: expected [^{]*$/);
  });

  it.each([
    ['https://me:hunter2@a.example/keys', 'https://…@a.example/keys'],
    ['https://a.example, https://me:hunter/2@b.example', 'https://a.example, https://…@b.example'],
  ])('an error does not repeat the password in the URL %s', (given, shown) => {
    const place = { place: setting({ env: 'PLACE', doc: '', type: url() }) };
    expect(() => loadConfig(place, { PLACE: given })).toThrow(`(got "${shown}")`);
  });

  it('readable settings are checked together even where another setting is invalid', () => {
    const load = (env: Record<string, string>) => () =>
      loadConfig(settings, env, ({ publicUrl }) =>
        publicUrl?.startsWith('http:') ? [{ env: 'PUBLIC_URL', message: 'must use https in production' }] : [],
      );
    expect(load({ PUBLIC_URL: 'http://localhost:1', PORT: 'x' })).toThrow(/^PORT: .*\nPUBLIC_URL: must use https/);
    expect(load({})).toThrow(/^PUBLIC_URL: is required but not set$/);
  });

  it.each([
    [origin(), 'https://example.com/path'],
    [origin(), 'ftp://example.com'],
    [origin(), 'https://user:password@example.com'],
    [origin(), 'https://example.com?x=1'],
    [baseUrl(), 'https://example.com/a?x=1'],
    [baseUrl(), 'https://example.com/a?'],
    [baseUrl(), 'https://example.com/a/../b'],
    [baseUrl(), 'https://example.com//a'],
    [baseUrl(), 'https://example.com/%61'],
    [baseUrl(), 'https://example.com/.well-known/a'],
    [baseUrl(), 'https://*.example.com/a'],
    [baseUrl(), 'ftp://example.com/a'],
    [url(), 'https://example.com/#fragment'],
    [url(), 'example.com'],
    [flag(), 'yes'],
    [oneOf('debug', 'info'), 'loud'],
    [duration(), '10'],
    [port(), '65536'],
  ])('the invalid value %# is refused: %s', (type, value) => expect(type.safeParse(value).success).toBe(false));

  it('a list accepts commas or spaces, and a URL keeps its path as written', () => {
    expect(list().parse('a, b,,a c')).toEqual(['a', 'b', 'c']);
    expect(url().parse('https://id.example.com/realms/Staff/')).toBe('https://id.example.com/realms/Staff');
  });

  it('a base URL may have a path, and is returned with a normalized host and without a slash at its end', () => {
    expect(baseUrl().parse('https://Example.com:443/Tools/v1.2/')).toBe('https://example.com/Tools/v1.2');
    expect(baseUrl().parse('http://localhost:8080/')).toBe('http://localhost:8080');
  });

  it('a security list accepts no wildcard and no empty member', () => {
    expect(exactList().parse('a, b\n c,a')).toEqual(['a', 'b', 'c']);
    for (const text of ['*', 'a,*', 'https://*.example.com', 'a,,b', 'a,', ',a', ',']) {
      expect(exactList().safeParse(text).success, text).toBe(false);
    }
    expect(exactList('literal').parse('files:*')).toEqual(['files:*']);
    for (const text of ['https://a.example,', '*', 'https://*.example']) {
      expect(origins().safeParse(text).success, text).toBe(false);
    }
  });

  it('the error about a wrong port says that Kubernetes sets it for a Service of that name', () => {
    const declared = { metricsPort: optional({ env: 'METRICS_PORT', doc: 'x', type: port() }) };
    expect(() => loadConfig(declared, { METRICS_PORT: 'tcp://10.0.0.1:9464' })).toThrow(
      /^METRICS_PORT: expected a whole number .*, which Kubernetes sets for a Service of that name: set enableServiceLinks/,
    );
  });

  it('the settings generate their own documentation', () => {
    expect(settingsTable(settings)).toBe(
      [
        '| variable | default | what it does |',
        '| --- | --- | --- |',
        '| `PORT` | `8080` | Where to listen. |',
        '| `PUBLIC_URL` | **required** | What people type. |',
        '| `LIFETIME` | `10m` | How long. |',
        '| `SECRET` | – | Never tell. Secret: may also come from the file named by `SECRET_FILE`. |',
      ].join('\n'),
    );
    expect(settingsExample({ port: settings.port })).toBe('# Where to listen.\n#PORT=8080');
  });
});

describe('RFC 8414 §2 an issuer of our own', () => {
  it.each([
    'https://auth.example.com',
    'http://localhost:9000',
    'https://example.com/auth',
    'https://example.com/tenants/A.b_c~1-2/v2.0',
    'http://[::1]:9000/a',
  ])('our own issuer may be %s', (value) => {
    expect(ownIssuer().parse(` ${value} `)).toBe(value);
  });

  it.each([
    ['https://example.com/', 'must not end with a slash'],
    ['https://example.com/auth/', 'must not end with a slash'],
    ['https://example.com/auth?', 'must not have a query'],
    ['https://example.com?a=b', 'must not have a query'],
    ['https://example.com/auth#', 'must not have a fragment'],
    ['https://user@example.com', 'must not contain a user'],
    ['https://example.com/a/../b', 'must not have the segments . or ..'],
    ['https://example.com/.', 'must not have the segments . or ..'],
    ['https://example.com/a//b', 'may only contain letters'],
    ['https://example.com/%61uth', 'may only contain letters'],
    ['https://example.com/a b', 'may only contain letters'],
    ['https://example.com/ä', 'may only contain letters'],
    ['https://example.com\\auth', 'may only contain letters'],
    ['https://example.com/.well-known/auth', 'must not be below /.well-known'],
    ['https://Example.com/Auth', 'must be written as https://example.com/Auth'],
    ['HTTPS://example.com', 'must be written as https://example.com'],
    ['https://example.com:443/auth', 'must be written as https://example.com/auth'],
    ['ftp://example.com', 'expected a URL such as'],
    ['https:example.com', 'expected a URL such as'],
    ['example.com', 'expected a URL such as'],
    ['', 'expected a URL such as'],
  ])('our own issuer may not be %s', (value, said) => {
    const { error } = ownIssuer().safeParse(value);
    expect(error?.issues).toMatchObject([{ message: expect.stringContaining(said) }]);
  });
});
