/** Proves that the doctor recognises a server that has only HTTP+SSE (MCP 2024-11-05), and names what is wrong with it. */
import { describe, expect, it } from 'vitest';
import { examine, type Report, stepsWith } from './support/examine.ts';
import { type Faults, startHttpSseSite } from './support/http-sse-site.ts';
import { startIssuer } from './support/issuer.ts';

const found = ({ steps }: Report, name: string) => steps.find(({ step }) => step === name);

describe('the doctor at a server that has only HTTP+SSE', () => {
  it.each([
    ['with a token', {}, true],
    ['without a sign-in', { open: true }, false],
    ['whose stream begins with a comment', { open: true, greeting: true }, false],
  ])(
    'MCP 2024-11-05 transports: a healthy server %s is noted as old, and has no fault',
    async (_, faults, hasToken) => {
      await using site = await startHttpSseSite(faults);
      const report = await examine(`${site.url} --timeout 60${hasToken ? ` --token ${await site.token()}` : ''}`);
      expect(stepsWith(report, 'fault'), report.stdout).toEqual([]);
      expect(stepsWith(report, 'note')).toEqual(['answer']);
      expect(found(report, 'answer')?.says).toContain('only HTTP+SSE (2024-11-05)');
      expect(found(report, 'initialize')?.says).toBe('Old speaks 2024-11-05 over HTTP+SSE');
      expect(found(report, 'sessions')?.says).toBe('6 requests on 6 connections belong to one stream');
      expect(found(report, 'tools')?.says).toBe('1: roll');
      expect(found(report, 'stream')?.outcome).toBe('passed');
      expect([report.status, report.sentence]).toEqual([0, 'No fault: clients can connect.']);
    },
  );

  it('without a token the steps that need one are not tried', async () => {
    await using site = await startHttpSseSite();
    const report = await examine(`${site.url} --timeout 60`);
    expect([report.status, stepsWith(report, 'fault')]).toEqual([0, []]);
    expect(stepsWith(report, 'not-tried')).toEqual(['sign-in', 'token', 'initialize', 'sessions', 'tools', 'stream']);
  });

  it('RFC 8628 §3.3 --login signs in, and the official SDK lists the tools over HTTP+SSE', async () => {
    await using issuer = await startIssuer();
    await using site = await startHttpSseSite({ issuer: new URL(issuer.url).origin });
    const report = await examine(`${site.url} --timeout 60 --login --device --origin none`);
    expect(stepsWith(report, 'fault'), report.stdout).toEqual([]);
    expect(found(report, 'sign-in')?.says).toBe('the official SDK signed in and lists 1 tools');
    expect(found(report, 'initialize')?.says).toBe('Old speaks 2024-11-05 over HTTP+SSE');
  });

  it('a server that checks the token before the method is recognised with a token', async () => {
    await using site = await startHttpSseSite({ tokenFirst: true });
    const report = await examine(`${site.url} --timeout 60 --token ${await site.token()}`);
    expect(stepsWith(report, 'fault'), report.stdout).toEqual([]);
    expect(found(report, 'initialize')?.says).toBe('Old speaks 2024-11-05 over HTTP+SSE');
    expect(found(report, 'tools')?.says).toBe('1: roll');
  });

  it.each<[string, Faults, string, string, RegExp]>([
    [
      'whose endpoint is of another origin',
      { endpoint: (path) => `https://internal.example${path}` },
      'initialize',
      'mcp-server',
      /of another origin than http:\/\/127\.0\.0\.1/,
    ],
    [
      'whose endpoint lacks the prefix of a proxy',
      { endpoint: () => '/elsewhere' },
      'initialize',
      'mcp-server',
      /initialize at the endpoint \/elsewhere is answered 404/,
    ],
    [
      'behind a proxy that holds answers back',
      { silent: true },
      'initialize',
      'network',
      /accepted, but its answer does not arrive on the stream/,
    ],
    [
      'with replicas that do not share sessions',
      { posted: (n) => (n === 5 ? 404 : undefined) },
      'sessions',
      'mcp-server',
      /does not reach the stream of its session: 404/,
    ],
    ['without CORS', { noCors: true }, 'page', 'mcp-server', /\(CORS\): OPTIONS is answered 204 without permission/],
  ])('the fault of a server %s is named, and nothing else', async (_, faults, step, responsible, says) => {
    await using site = await startHttpSseSite(faults);
    const report = await examine(`${site.url} --timeout ${'silent' in faults ? 2 : 60} --token ${await site.token()}`);
    expect(stepsWith(report, 'fault'), report.stdout).toEqual([step]);
    expect([report.status, report.responsible]).toEqual([1, responsible]);
    expect(found(report, step)?.says).toMatch(says);
  });

  it('the token is not sent to an endpoint of another origin', async () => {
    await using other = await startHttpSseSite({ open: true });
    await using site = await startHttpSseSite({ endpoint: () => `${other.url}/messages` });
    await examine(`${site.url} --timeout 60 --token ${await site.token()}`);
    expect([site.posted, other.posted]).toEqual([[], []]);
  });

  it('a stream without the event endpoint is no MCP endpoint', async () => {
    await using site = await startHttpSseSite({ open: true, endpoint: () => undefined });
    const report = await examine(`${site.url} --timeout 2`);
    expect(stepsWith(report, 'fault')).toEqual(['answer']);
  });

  it('CWE-532 a token that the stream repeats is not in the output', async () => {
    await using site = await startHttpSseSite({ endpoint: () => 'https://internal.example/?token=TOKEN-OF-THE-USER' });
    const report = await examine(`${site.url} --timeout 60 --token TOKEN-OF-THE-USER`);
    expect(found(report, 'initialize')?.says).toContain('https://internal.example/?token=…');
    expect(report.stdout).not.toContain('TOKEN-OF-THE-USER');
  });
});
