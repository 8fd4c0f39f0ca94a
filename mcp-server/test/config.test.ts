/** Proves which settings are accepted and which are refused at start, each error with its variable. */
import type { ConfigError } from '@mcp-oauth/shared/settings/config';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

const problems = (env: Record<string, string>): string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map((problem) => problem.env);
  }
};

describe('settings', () => {
  it('the server starts on a developer machine without any setting', () => {
    expect(readConfig({})).toMatchObject({
      publicUrl: 'http://localhost:8080',
      port: 8080,
      host: undefined,
      issuer: 'http://localhost:9000',
      issuers: [
        {
          id: 'default',
          announced: true,
          rules: [{ audiences: ['http://localhost:8080/mcp', 'http://localhost:8080/sse', 'http://localhost:8080'] }],
        },
      ],
      baseScope: 'mcp:tools',
      tokenTypes: ['at+jwt'],
      clockTolerance: 5,
      allowedOrigins: [],
    });
  });

  it.each([
    [{ PUBLIC_URL: 'http://localhost:3000' }, 3000],
    [{ PUBLIC_URL: 'https://mcp.example.com' }, 8080],
    [{ PUBLIC_URL: 'https://mcp.example.com', PORT: '1234' }, 1234],
  ])('the server with %j listens on port %i', (env, port) => {
    expect(readConfig(env).port).toBe(port);
  });

  it('RFC 8707 §2 the resource of a server below a path has that path', () => {
    expect(readConfig({ PUBLIC_URL: 'https://example.com/tools' }).issuers[0]?.rules[0]?.audiences).toEqual([
      'https://example.com/tools/mcp',
      'https://example.com/tools/sse',
      'https://example.com/tools',
    ]);
  });

  it('the error about a PUBLIC_URL with /mcp says that the server appends it', () => {
    expect(() => readConfig({ PUBLIC_URL: 'https://example.com/mcp' })).toThrow(
      /PUBLIC_URL: is the URL without \/mcp, which this server appends/,
    );
  });

  it('RFC 8414 §2 the issuer is kept exactly as given', () => {
    for (const issuer of ['https://tenant.auth0.com/', 'https://idp.example.com/realms/one'])
      expect(readConfig({ ISSUER: issuer }).issuer).toBe(issuer);
  });

  it('SCOPE_HIERARCHY ranks scopes in as many chains as needed', () => {
    const { scopeHierarchy } = readConfig({ SCOPE_HIERARCHY: 'top>a>c, top>b' });
    const above = Object.fromEntries([...scopeHierarchy].map(([scope, higher]) => [scope, [...higher].sort()]));
    expect(above).toEqual({ top: [], a: ['top'], b: ['top'], c: ['a', 'top'] });
    expect(readConfig({}).scopeHierarchy.size).toBe(0);
  });

  it('an open stream says every 15 s that its session is used, so SESSION_IDLE_TIMEOUT is 60s or more', () => {
    expect(() => readConfig({ SESSION_IDLE_TIMEOUT: '59s' })).toThrow(
      'SESSION_IDLE_TIMEOUT: expected a duration such as 30s, 10m, 12h or 90d (from 60s to 3650d) (got "59s")',
    );
    expect(readConfig({ SESSION_IDLE_TIMEOUT: '60s' }).sessionIdleTimeout).toBe(60);
  });

  it('SERVER_INSTRUCTIONS has at most 8192 characters', () => {
    expect(readConfig({ SERVER_INSTRUCTIONS: 'x'.repeat(8_192) }).serverInstructions).toHaveLength(8_192);
    expect(problems({ SERVER_INSTRUCTIONS: 'x'.repeat(8_193) })).toEqual(['SERVER_INSTRUCTIONS']);
  });

  it('BASE_SCOPE can be none', () => {
    expect(readConfig({ BASE_SCOPE: 'none' }).baseScope).toBeUndefined();
  });

  it.each([
    [{ PUBLIC_URL: 'https://mcp.example.com/mcp' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://mcp.example.com/tools/SSE/' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://mcp.example.com/tools?a=b' }, 'PUBLIC_URL'],
    [{ ISSUER: 'https://auth.example.com?x' }, 'ISSUER'],
    [{ ISSUER: 'auth.example.com' }, 'ISSUER'],
    [{ TOKEN_ALGORITHMS: 'HS256' }, 'TOKEN_ALGORITHMS'],
    [{ TOKEN_ALGORITHMS: 'none' }, 'TOKEN_ALGORITHMS'],
    [{ TOKEN_TYPES: 'dpop+jwt' }, 'TOKEN_TYPES'],
    [{ CLOCK_TOLERANCE: '61s' }, 'CLOCK_TOLERANCE'],
    [{ BASE_SCOPE: 'two scopes' }, 'BASE_SCOPE'],
    [{ PORT: '70000' }, 'PORT'],
    [{ SCOPE_HIERARCHY: 'a' }, 'SCOPE_HIERARCHY'],
    [{ SCOPE_HIERARCHY: 'a>>b' }, 'SCOPE_HIERARCHY'],
    [{ SCOPE_HIERARCHY: 'a>b, b>a' }, 'SCOPE_HIERARCHY'],
    [{ SCOPE_HIERARCHY: 'a>"b"' }, 'SCOPE_HIERARCHY'],
    [{ UNPERMITTED_TOOLS: 'no' }, 'UNPERMITTED_TOOLS'],
    [{ TOOLS_DIR_STRICT: 'yes' }, 'TOOLS_DIR_STRICT'],
  ])('the settings %j are refused', (env, name) => {
    expect(problems(env)).toEqual([name]);
  });

  it('RFC 6750 §5.3 production requires https, and every problem is listed at once', () => {
    expect(problems({ NODE_ENV: 'production' })).toEqual(['PUBLIC_URL', 'ISSUER']);
    const good = { NODE_ENV: 'production', PUBLIC_URL: 'https://mcp.example.com', ISSUER: 'https://auth.example.com' };
    expect(problems(good)).toEqual([]);
    for (const name of ['JWKS_URL', 'ISSUER_INTERNAL_URL']) {
      expect(problems({ ...good, [name]: 'http://auth.example.com/jwks' })).toEqual([name]);
      expect(problems({ ...good, [name]: 'http://auth-server:9000/jwks' })).toEqual([]);
    }
    expect(problems({ ...good, ISSUER: 'http://auth-server:9000' }), 'as it stands in tokens').toEqual(['ISSUER']);
    expect(problems({ ...good, PUBLIC_URL: 'http://localhost:8080' })).toEqual(['PUBLIC_URL']);
  });

  it('CWE-1188 production refuses a sealing key that is not random', () => {
    const good = { NODE_ENV: 'production', PUBLIC_URL: 'https://mcp.example.com', ISSUER: 'https://auth.example.com' };
    const SEALING_KEYS = Buffer.alloc(32).toString('base64');
    expect(problems({ ...good, SEALING_KEYS })).toEqual(['SEALING_KEYS']);
    expect(problems({ SEALING_KEYS })).toEqual([]);
  });
});
