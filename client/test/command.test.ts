/** Proves what the command line of the doctor takes and prints: its exit status, its text, and what never reaches a terminal. */
import { visibleJson } from '@mcp-oauth/shared/text/terminal-text';
import { describe, expect, it } from 'vitest';
import { doctor, examine, stepsWith } from './support/examine.ts';
import { startSite } from './support/site.ts';

describe('the command line of the doctor', () => {
  it.each([
    ['', '<url> is missing'],
    ['not-a-url', '<url> must be the http or https URL of an MCP server'],
    ['ftp://localhost/mcp', '<url> must be the http or https URL of an MCP server'],
    ['https://alice:secret@localhost/mcp', '<url> must have no user name or password'],
    ['https://localhost/mcp --as netscape', '--as must be one of cursor, vscode, claude, chatgpt, codex'],
    ['https://localhost/mcp --as __proto__', '--as must be one of cursor, vscode, claude, chatgpt, codex'],
    ['https://localhost/mcp --timeout 0', '--timeout must be between 1 and 300 seconds'],
    ['https://localhost/mcp --origin https://a.example/path', '--origin must be an origin'],
    ['https://localhost/mcp --token a --token-file b', 'give either --token or --token-file'],
    ['https://localhost/mcp --token é', 'the token must be one word'],
    ['https://localhost/mcp --call whoami', '--call, --arguments and --device need --login'],
    ['https://localhost/mcp --device', '--call, --arguments and --device need --login'],
    ['https://localhost/mcp --login --call sum --arguments [1]', '--arguments must be a JSON object'],
  ])('the arguments %j end with 2 and the usage', async (line, reason) => {
    const { status, stdout, stderr } = await doctor(line);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
    expect(stderr).toContain('Usage: client doctor [options] <url>');
  });

  it('a token is read from standard input, and is not in the output', async () => {
    await using site = await startSite();
    const stdin = `Bearer ${await site.token()}\n`;
    const report = await examine(`${site.url} --token-file -`, { stdin });
    expect(report.status).toBe(0);
    expect(stepsWith(report, 'passed')).toContain('tools');
    expect(report.stdout).not.toContain(stdin.split(/\s/)[1]);
  });

  it('CWE-532 a token that a server repeats in its error is not in the output', async () => {
    await using site = await startSite((answer, { headers }) =>
      headers.authorization
        ? {
            status: 401,
            headers: {},
            body: { error: 'invalid_token', error_description: `bad ${headers.authorization}` },
          }
        : answer,
    );
    const token = await site.token();
    const text = await doctor(`${site.url} --token ${token}`);
    expect(text.status).toBe(1);
    expect(text.stdout).toContain('The server refuses the token: 401, "bad Bearer …"');
    expect(text.stdout).not.toContain(token.slice(0, 40));
  });

  it('Enterprise-Managed Authorization §6: the report says that ID-JAGs of an identity provider are taken', async () => {
    await using site = await startSite((answer, { path }) =>
      path.startsWith('/.well-known/oauth-authorization')
        ? {
            ...answer,
            body: {
              ...(answer.body as object),
              registration_endpoint: undefined,
              authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
              grant_types_supported: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
            },
          }
        : answer,
    );
    const { steps } = await examine(site.url);
    expect(steps.find(({ step }) => step === 'registration')).toMatchObject({
      outcome: 'passed',
      says: 'by ID-JAGs of an identity provider',
    });
  });

  it('CWE-150 what a server says reaches the terminal without control characters', async () => {
    await using site = await startSite((answer, { path }) =>
      path.startsWith('/.well-known/oauth-protected')
        ? { ...answer, body: { resource: 'x:\u001b[2J\u202e', authorization_servers: [] } }
        : answer,
    );
    const { stdout } = await doctor(site.url);
    expect(stdout).toContain('✗ resource');
    expect(visibleJson(stdout)).toBe(stdout);
  });

  it('the text has a line for each step, the fix below a fault, and one sentence at the end', async () => {
    await using site = await startSite((answer, { path }) =>
      path === '/jwks' ? { ...answer, body: { keys: [] } } : answer,
    );
    const { status, stdout } = await doctor(site.url);
    expect(status).toBe(1);
    expect(stdout.split('\n').filter((line) => /^ {2}\S/.test(line))).toHaveLength(18);
    expect(stdout).toMatch(/^ {2}✗ keys {10}The key set at .* has no usable key.*\n {18}→ Publish the public key/m);
    expect(stdout).toMatch(/\n\nThe operator of the authorization server has to act: keys\.\n$/);
  });

  it('the session of the run is ended', async () => {
    await using site = await startSite();
    await doctor(`${site.url} --token ${await site.token()}`);
    expect(site.asked.at(-1)).toMatchObject({ method: 'DELETE', path: '/mcp' });
  });
});

describe('--as', () => {
  it('an imitated client sends its user agent in every request, and its registration', async () => {
    const bodies: unknown[] = [];
    await using site = await startSite((answer, { path, method }) => {
      if (path !== '/register') return answer;
      bodies.push(method);
      return {
        status: 201,
        headers: {},
        body: { client_id: 'c', redirect_uris: ['https://claude.ai/api/mcp/auth_callback'] },
      };
    });
    const report = await examine(`${site.url} --as claude`);
    expect(report.status).toBe(0);
    expect(report.steps.find(({ step }) => step === 'registration')?.says).toMatch(/^Claude registered/);
    expect(report.steps.find(({ step }) => step === 'page')?.says).toBe('Claude is no web page');
    expect(bodies).toEqual(['POST']);
    // The comparison of user agents sends these two kinds of request with each.
    const compared = ({ rpc, headers }: (typeof site.asked)[number]) => rpc === 'initialize' || !headers.accept;
    const agents = site.asked
      .filter((one) => !compared(one) && one.method !== 'OPTIONS')
      .map(({ headers }) => headers['user-agent']);
    expect(new Set(agents)).toEqual(new Set(['Claude-User']));
  });

  it('RFC 7591 §3.2.1 a redirect URI that the server does not keep is a fault', async () => {
    await using site = await startSite((answer, { path }) =>
      path === '/register'
        ? { status: 201, headers: {}, body: { client_id: 'c', redirect_uris: ['http://localhost:8787/callback'] } }
        : answer,
    );
    const report = await examine(`${site.url} --as cursor`);
    expect(stepsWith(report, 'fault')).toEqual(['registration']);
    expect(report.steps.find(({ step }) => step === 'registration')?.says).toContain(
      'cursor://anysphere.cursor-mcp/oauth/callback',
    );
  });

  it('RFC 7591 §3.2.2 a refused registration is a fault, with the words of the server', async () => {
    await using site = await startSite((answer, { path }) =>
      path === '/register'
        ? {
            status: 400,
            headers: {},
            body: { error: 'invalid_redirect_uri', error_description: 'cursor: is not allowed' },
          }
        : answer,
    );
    const report = await examine(`${site.url} --as cursor`);
    expect(stepsWith(report, 'fault')).toEqual(['registration']);
    expect(report.steps.find(({ step }) => step === 'registration')?.says).toContain('400, "cursor: is not allowed"');
  });
});
