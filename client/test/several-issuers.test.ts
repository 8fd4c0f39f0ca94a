/** Proves that the doctor examines each issuer that a server names, says which is meant, and signs in at one that works. */
import { describe, expect, it } from 'vitest';
import { doctor, examine, type Report, stepsWith } from './support/examine.ts';
import { startIssuer } from './support/issuer.ts';
import { type Fault, startSite } from './support/site.ts';

const RESOURCE = '/.well-known/oauth-protected-resource/mcp';
const SERVER = '/.well-known/oauth-authorization-server';

const naming =
  (...issuers: readonly unknown[]): Fault =>
  (answer, { path, method }) =>
    path === RESOURCE && method === 'GET'
      ? { ...answer, body: { ...(answer.body as object), authorization_servers: issuers } }
      : answer;

const withoutPkce: Fault = (answer, { path }) =>
  path === SERVER ? { ...answer, body: { ...(answer.body as object), code_challenge_methods_supported: [] } } : answer;

const found = ({ steps }: Report, name: string, issuer?: string) =>
  steps.find((one) => one.step === name && one.issuer === issuer);

describe('RFC 9728 §2 a server that names several issuers', () => {
  it('each of two healthy issuers is examined, and tokens of both are checked with their own keys', async () => {
    await using other = await startSite();
    await using site = await startSite((answer, asked, own) => naming(other.origin, own.origin)(answer, asked, own));
    for (const token of [await site.token(), await other.token({ aud: site.url })]) {
      const report = await examine(`${site.url} --token ${token}`);
      expect([...stepsWith(report, 'fault'), ...stepsWith(report, 'note')], report.stdout).toEqual([]);
      for (const issuer of [other.origin, site.origin])
        for (const step of ['server', 'pkce', 'registration', 'keys'])
          expect(found(report, step, issuer)?.outcome, `${step} ${issuer}`).toBe('passed');
      expect(found(report, 'token')?.says).toContain('The signature is of the authorization server');
    }
  });

  it('the fault of one issuer is named with that issuer, also in the text and the sentence', async () => {
    await using other = await startSite(withoutPkce);
    await using site = await startSite((answer, asked, own) => naming(own.origin, other.origin)(answer, asked, own));
    const report = await examine(`${site.url} --token ${await site.token()}`);
    expect(stepsWith(report, 'fault')).toEqual(['pkce']);
    expect(found(report, 'pkce', other.origin)?.outcome).toBe('fault');
    expect(found(report, 'pkce', site.origin)?.outcome).toBe('passed');
    expect(report.sentence).toBe(`The operator of the authorization server has to act: pkce (${other.origin}).`);
    expect((await doctor(site.url)).stdout).toContain(
      `✗ pkce          ${other.origin}: code_challenge_methods_supported`,
    );
  });

  it('an issuer that cannot be reached is named, and the other one is examined', async () => {
    await using site = await startSite((answer, asked, own) =>
      naming('http://127.0.0.1:1', own.origin)(answer, asked, own),
    );
    const report = await examine(`${site.url} --token ${await site.token()}`);
    expect(stepsWith(report, 'fault')).toEqual(['server']);
    expect(found(report, 'server', 'http://127.0.0.1:1')?.responsible).toBe('network');
    expect(found(report, 'token')?.says).toContain('The signature is of the authorization server');
  });

  it('no more than four issuers are examined, however many there are', async () => {
    const many = Array.from({ length: 1_000 }, (_, n) => `http://127.0.0.1:1/${n}`);
    await using site = await startSite(naming(...many));
    const report = await examine(`${site.url} --timeout 60`);
    expect(stepsWith(report, 'fault')).toEqual(['server', 'server', 'server', 'server']);
    expect(found(report, 'resource')?.says).toMatch(/, of which 4 are examined$|^.{1500}$/s);
  });

  it.each([
    ['a name without a scheme', 'login.example.com'],
    ['a number', 7],
    ['null', null],
  ])('%s beside an issuer is a fault of the list', async (_, odd) => {
    await using site = await startSite((answer, asked, own) => naming(own.origin, odd)(answer, asked, own));
    const report = await examine(`${site.url} --token ${await site.token()}`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['resource'], 'mcp-server']);
    expect(found(report, 'resource')?.says).toContain(`authorization_servers has ${odd}, which is no URL`);
  });
});

describe('a sign-in at one of several issuers', () => {
  it('the first issuer that has no fault is used', async () => {
    await using broken = await startSite(withoutPkce);
    await using issuer = await startIssuer();
    issuer.others.push(broken.origin);
    const report = await examine(`${issuer.url} --login --device --origin none`);
    expect(stepsWith(report, 'fault')).toEqual(['pkce']);
    expect(found(report, 'sign-in')?.says).toContain('signed in and lists 1 tools');
    expect(issuer.registrations).toHaveLength(1);
  });

  it('the issuer that --issuer names is used, even if it has a fault', async () => {
    await using broken = await startSite(withoutPkce);
    await using issuer = await startIssuer();
    issuer.others.push(broken.origin);
    const report = await examine(`${issuer.url} --login --device --origin none --issuer ${broken.origin}`);
    expect(stepsWith(report, 'fault')).toEqual(['pkce', 'sign-in']);
    expect(found(report, 'sign-in')?.says).toContain(`${broken.origin} has no device_authorization_endpoint`);
    expect(issuer.registrations).toEqual([]);
  });

  it('an issuer that the server does not name is not signed in at, and it is the turn of the user', async () => {
    await using issuer = await startIssuer();
    const report = await examine(`${issuer.url} --origin none --issuer https://login.example`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['resource'], 'user']);
    expect(found(report, 'resource')?.says).toContain('and not https://login.example.');
  });
});
