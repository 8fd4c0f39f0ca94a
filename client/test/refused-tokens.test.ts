/** Proves that the doctor says why a server refuses a token, with and without the server. */
import { describe, expect, it } from 'vitest';
import { examine, type Report, stepsWith } from './support/examine.ts';
import { type Fault, startSite } from './support/site.ts';

const found = ({ steps }: Report, name: string) => steps.find(({ step }) => step === name);

const refusing: Fault = (answer, { path, headers }, { origin }) => {
  if (path !== '/mcp') return answer;
  const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
  const error = headers.authorization ? ', error="invalid_token"' : '';
  const challenge = { 'www-authenticate': `Bearer scope="mcp:tools", ${metadata}${error}` };
  return answer.status === 401 || headers.authorization
    ? { status: 401, headers: { ...answer.headers, ...challenge }, body: { error: 'invalid_token' } }
    : answer;
};

describe('a token that the server refuses', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string, string]>([
    ['of another audience (RFC 9068 §4)', { aud: 'https://api.example' }, 'authorization-server', 'aud is https://api'],
    ['without an audience (RFC 9068 §4)', { aud: undefined }, 'authorization-server', 'aud is missing'],
    ['that has expired (RFC 7519 §4.1.4)', { exp: 1_700_000_000 }, 'user', 'it has expired'],
    ['that is not valid yet (RFC 7519 §4.1.5)', { nbf: 4_000_000_000 }, 'authorization-server', 'it begins in'],
    ['without the scope (RFC 6750 §3.1)', { scope: 'openid' }, 'user', 'the scope mcp:tools is missing'],
    ['that is an ID token (OpenID Connect Core §2)', { nonce: 'n' }, 'user', 'it is an ID token'],
    ['that is bound to a key (RFC 9449 §6)', { cnf: { jkt: 'x' } }, 'user', 'it is bound to a key'],
  ])('the one fault of a token %s is named, and whose turn it is', async (_, claims, responsible, says) => {
    await using site = await startSite(refusing);
    const token = await site.token(claims);
    const report = await examine(`${site.url} --token ${token}`);
    expect([stepsWith(report, 'fault'), stepsWith(report, 'note')], report.stdout).toEqual([['initialize'], ['token']]);
    expect([report.status, report.responsible]).toEqual([1, responsible]);
    const { says: why = '' } = found(report, 'initialize') ?? {};
    expect(why).toContain(`The token: ${says}`);
    // Nothing else speaks against it.
    expect(why.split('The token: ')[1]).not.toContain(';');
    expect(report.stdout).not.toContain(token.split('.')[2]);
  });

  it('RFC 9068 §4 the issuer of a token of another issuer, with a key of that one, is named', async () => {
    await using site = await startSite(refusing);
    const [header, claims] = (await site.token({ iss: 'https://login.example' })).split('.');
    const [, , signature] = (await site.token()).split('.');
    const report = await examine(`${site.url} --token ${header}.${claims}.${signature}`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['initialize'], 'user']);
    expect(found(report, 'initialize')?.says).toMatch(/The token: iss is https:\/\/login\.example, not http:[^;]*\.$/);
  });

  it('RFC 7515 §5.2 the signature of a token with a signature of nobody is named', async () => {
    await using other = await startSite();
    await using site = await startSite(refusing);
    const [header, claims] = (await site.token()).split('.');
    const [, , signature] = (await other.token()).split('.');
    const report = await examine(`${site.url} --token ${header}.${claims}.${signature}`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['initialize'], 'authorization-server']);
    expect(found(report, 'initialize')?.says).toContain('The token: no published key fits its signature.');
  });

  it('a token that looks right is a matter of the server, whose log has the reason', async () => {
    await using site = await startSite(refusing);
    const report = await examine(`${site.url} --token ${await site.token()}`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['initialize'], 'mcp-server']);
    expect(found(report, 'initialize')?.fix).toContain('the log of the server has the reason');
  });
});

describe('a token without a server', () => {
  it('for a server that cannot be reached, the owner, issuer, audience and expiry of a token are shown, and what is wrong with it', async () => {
    await using site = await startSite();
    const token = await site.token({ exp: 1_700_000_000 });
    const report = await examine(`http://127.0.0.1:1/mcp --token ${token}`);
    expect([stepsWith(report, 'fault'), stepsWith(report, 'note')]).toEqual([['answer'], ['token']]);
    expect(found(report, 'token')?.says).toMatch(
      /^subject alice, client c, by http:\S+, for http:\S+\/mcp, scope mcp:tools, until 2023-11-14T22:13:20Z\. .*it has expired/,
    );
  });
});
