/** Proves the sign-in of the doctor at an authorization server with device codes, and who has to act when it fails. */
import { describe, expect, it } from 'vitest';
import { doctor, examine, type Report, stepsWith } from './support/examine.ts';
import { startIssuer } from './support/issuer.ts';
import { startSite } from './support/site.ts';

const found = ({ steps }: Report, name: string) => steps.find(({ step }) => step === name);

describe('--login --device', () => {
  it('RFC 8628 §3.3 the doctor shows the page and the code, waits for the person, and every step with the token passes', async () => {
    await using issuer = await startIssuer();
    issuer.pending.push({ error: 'authorization_pending' }, { error: 'slow_down' });
    const report = await examine(`${issuer.url} --login --device --origin none --call roll`);
    expect([...stepsWith(report, 'fault'), ...stepsWith(report, 'note')], report.stdout).toEqual([]);
    expect(stepsWith(report, 'not-tried')).toEqual(['page']);
    expect(found(report, 'sign-in')?.says).toMatch(/signed in and lists 1 tools; roll answers: rolled 4$/);
    expect([report.status, report.sentence]).toEqual([0, 'No fault: clients can connect.']);
    expect(report.stderr).toContain('enter WDJB-MJHT:\n\n  http://127.0.0.1');
    expect(issuer.registrations).toEqual([
      expect.objectContaining({
        grant_types: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:device_code']),
      }),
    ]);
  });

  it('CWE-532 the token of a sign-in is not in the output', async () => {
    await using issuer = await startIssuer();
    issuer.answer = (token) => ({ content: [{ type: 'text', text: `your token is ${token}` }] });
    const { stdout } = await doctor(`${issuer.url} --login --device --origin none --call roll`);
    expect(stdout).toContain('your token is …');
    expect(stdout).not.toContain([...issuer.valid][0]);
  });

  it.each(['client_secret_basic', 'client_secret_post'])(
    'CWE-532 a client secret is not in the output, however %s writes it',
    async (method) => {
      await using issuer = await startIssuer();
      Object.assign(issuer, { authMethods: [method], secret: 'a:b+c/d=%' });
      issuer.pending.push({
        error: 'access_denied',
        get error_description() {
          const { authorization, fields } = issuer.forms.at(-1) ?? {};
          return authorization ?? new URLSearchParams(fields).toString();
        },
      } as { error: string });
      const line = `${issuer.url} --login --device --origin none --client-id known`;
      const { stdout } = await doctor(line, { env: { MCP_CLIENT_SECRET: 'a:b+c/d=%' } });
      expect(stdout).toMatch(method.endsWith('post') ? 'client_secret=…' : /access_denied: Basic …/);
    },
  );

  it('CWE-532 a client secret that a registration gives is not in the output', async () => {
    await using issuer = await startIssuer();
    issuer.authMethods = ['client_secret_post'];
    issuer.registered = { client_secret: 'a:b+c/d=%', token_endpoint_auth_method: 'client_secret_post' };
    issuer.pending.push({ error: 'access_denied', error_description: 'not with a:b+c/d=%' } as { error: string });
    const { stdout } = await doctor(`${issuer.url} --login --device --origin none`);
    expect(stdout).toContain('access_denied: not with ….');
  });

  it('CWE-150 a code with control characters reaches the terminal without them, on one line', async () => {
    await using issuer = await startIssuer();
    issuer.userCode = '\u001b[2JABC\u202e\nSign in here: https://evil.example';
    const { stderr } = await doctor(`${issuer.url} --login --device --origin none`);
    expect(stderr).toContain(
      'enter \\u001b[2JABC\\u202e\\u000aSign in here: https://evil.example:\n\n  http://127.0.0.1',
    );
  });

  it.each(['access_denied', 'expired_token'])('RFC 8628 §3.5 after %s it is the turn of the user', async (error) => {
    await using issuer = await startIssuer();
    issuer.pending.push({ error });
    const report = await examine(`${issuer.url} --login --device --origin none`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['sign-in'], 'user']);
    expect(found(report, 'sign-in')?.says).toBe(`The sign-in failed: ${error}.`);
  });

  it('a code that nobody enters is a fault of the user, when its time is over', async () => {
    await using issuer = await startIssuer();
    issuer.pending.push(...Array.from({ length: 700 }, () => ({ error: 'authorization_pending' })));
    const report = await examine(`${issuer.url} --login --device --origin none`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['sign-in'], 'user']);
    expect(found(report, 'sign-in')?.says).toContain('nobody has signed in in time');
  });

  it('RFC 8628 §4 an authorization server without device codes is a fault that says so', async () => {
    await using site = await startSite();
    const report = await examine(`${site.url} --login --device`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['sign-in'], 'authorization-server']);
    expect(found(report, 'sign-in')?.says).toContain('has no device_authorization_endpoint');
    expect(site.asked.filter(({ path, method }) => path === '/register' && method === 'POST')).toEqual([]);
  });

  it('RFC 7591 §3.2.1 a registration that is answered with no client is a fault that names the member', async () => {
    await using site = await startSite((answer, { path, method }) =>
      path === '/register' && method === 'POST' ? { status: 201, headers: {}, body: { client_id: 'c' } } : answer,
    );
    const report = await examine(`${site.url} --login`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['sign-in'], 'authorization-server']);
    expect(found(report, 'sign-in')?.says).toContain('answered with no client (redirect_uris: ');
  });
});

describe('a sign-in whose token cannot be used', () => {
  it('the server that refuses the token is named at initialize, and the authorization server is not', async () => {
    await using issuer = await startIssuer();
    issuer.refusing = true;
    const report = await examine(`${issuer.url} --login --device --origin none`);
    expect([stepsWith(report, 'fault'), report.responsible], report.stdout).toEqual([['initialize'], 'mcp-server']);
    expect(found(report, 'sign-in')).toMatchObject({ outcome: 'note', says: expect.stringContaining('refuses it') });
  });

  it('a tool that answers with an error is a fault of its server', async () => {
    await using issuer = await startIssuer();
    issuer.answer = () => ({ isError: true, content: [{ type: 'text', text: 'no dice' }] });
    const report = await examine(`${issuer.url} --login --device --origin none --call roll`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['sign-in'], 'mcp-server']);
    expect(found(report, 'sign-in')?.says).toBe('The tool roll answers with an error: no dice');
  });
});

describe('--login with the browser', () => {
  it('RFC 6749 §4.1.2.1 after access_denied it is the turn of the user', async () => {
    await using issuer = await startIssuer();
    const browse = (url: URL) => {
      const at = new URL(url.searchParams.get('redirect_uri') ?? '');
      const state = url.searchParams.get('state') ?? '';
      at.search = new URLSearchParams({ state, error: 'access_denied', error_description: 'not you' }).toString();
      void fetch(at);
    };
    const report = await examine(`${issuer.url} --login --origin none`, { browse });
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['sign-in'], 'user']);
    expect(found(report, 'sign-in')?.says).toBe('The sign-in failed: access_denied: not you.');
  });
});
