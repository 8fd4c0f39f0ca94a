/** Proves the judgements of the doctor that need no server: over what was observed, written down here. */
import { describe, expect, it } from 'vitest';
import { judgeInitialize } from '../src/doctor/mcp/initialize.ts';
import { eventsIn } from '../src/doctor/mcp/message.ts';
import { judgeStream } from '../src/doctor/mcp/stream.ts';
import { judgeToken } from '../src/doctor/mcp/token.ts';
import type { ProbeResponse } from '../src/doctor/network/request.ts';
import { readChallenges } from '../src/doctor/steps/challenge.ts';
import { issuerPlaces } from '../src/doctor/steps/issuer.ts';
import { judgeTls } from '../src/doctor/steps/reach.ts';
import { resourcePlaces } from '../src/doctor/steps/resource.ts';
import { clockOf, judgeClocks } from '../src/doctor/steps/user-agents-and-clocks.ts';

const NOW = Date.UTC(2026, 10, 29);
const url = new URL('https://mcp.example.com/mcp');
const responseWith = (answer: Partial<ProbeResponse>): ProbeResponse => ({
  url: url.href,
  status: 200,
  headers: {},
  body: '',
  cut: false,
  sentAt: NOW,
  answeredAt: NOW,
  ...answer,
});

describe('places of metadata', () => {
  it('RFC 9728 §3.1 the well-known path is inserted before the path of the server, then the root follows', () => {
    expect(resourcePlaces(new URL('https://a.example/x/mcp?tenant=1'), undefined)).toEqual([
      'https://a.example/.well-known/oauth-protected-resource/x/mcp?tenant=1',
      'https://a.example/.well-known/oauth-protected-resource',
    ]);
    expect(resourcePlaces(new URL('https://a.example'), undefined)).toHaveLength(1);
  });

  it('RFC 9728 §5.1 the place that the challenge names comes first', () => {
    expect(resourcePlaces(url, 'https://b.example/metadata')[0]).toBe('https://b.example/metadata');
  });

  it('RFC 8414 §3.1, §5 the places of an issuer with a path are inserted, and appended for OpenID', () => {
    expect(issuerPlaces('https://a.example/tenant1')).toEqual([
      'https://a.example/.well-known/oauth-authorization-server/tenant1',
      'https://a.example/.well-known/openid-configuration/tenant1',
      'https://a.example/tenant1/.well-known/openid-configuration',
    ]);
    expect(issuerPlaces('https://a.example/')).toHaveLength(2);
  });
});

describe('RFC 9110 §11.6.1 a challenge', () => {
  it.each([
    ['Bearer', [{ scheme: 'Bearer', parameters: {} }], ''],
    ['Bearer realm="a, b=\\"c\\"", scope=x', [{ scheme: 'Bearer', parameters: { realm: 'a, b="c"', scope: 'x' } }], ''],
    [
      'Basic realm="x", Bearer Error="invalid_token"',
      [
        { scheme: 'Basic', parameters: { realm: 'x' } },
        { scheme: 'Bearer', parameters: { error: 'invalid_token' } },
      ],
      '',
    ],
    ['Bearer resource_metadata=https://a', [{ scheme: 'Bearer', parameters: {} }], 'resource_metadata=https://a'],
    ['Bearer a="1" b="2"', [{ scheme: 'Bearer', parameters: {} }], 'a="1" b="2"'],
    ['Bearer a="1', [{ scheme: 'Bearer', parameters: {} }], 'a="1'],
    ['', [], ''],
  ])('a header %j is read as far as it is correct', (header, challenges, unread) => {
    expect(readChallenges(header)).toEqual({ challenges, unread });
  });
});

describe('TLS', () => {
  const seen = { subject: 'mcp.example.com', issuer: 'R10', protocol: 'TLSv1.3', validTo: NOW + 60 * 86_400_000 };

  it('a good certificate passes, with its end', () => {
    expect(judgeTls({ now: NOW, seen }, { url })).toMatchObject({
      outcome: 'passed',
      says: 'TLSv1.3, certificate by R10 until 2027-01-28',
    });
  });

  it.each([
    ['CERT_HAS_EXPIRED', 'Renew the certificate.'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'this host name'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'full chain'],
    ['SOMETHING_NEW', 'public authority'],
  ])('a certificate with %s is a fault with a fix of its own', (untrusted, fix) => {
    const verdict = judgeTls({ now: NOW, seen: { ...seen, untrusted } }, { url });
    expect(verdict).toMatchObject({
      outcome: 'fault',
      responsible: 'network',
      says: expect.stringContaining(untrusted),
    });
    expect(verdict.fix).toContain(fix);
  });

  it('a certificate that ends within a week is noted', () => {
    expect(judgeTls({ now: seen.validTo - 86_400_000, seen }, { url }).outcome).toBe('note');
  });

  it('plain http is a fault, and is none on this machine', () => {
    const judged = (href: string) => judgeTls({ now: NOW, seen: undefined }, { url: new URL(href) }).outcome;
    expect(['http://mcp.example.com', 'http://localhost:8080', 'http://[::1]:8080'].map(judged)).toEqual([
      'fault',
      'passed',
      'passed',
    ]);
  });
});

describe('clocks', () => {
  const clock = (responsible: 'mcp-server' | 'authorization-server', ahead: number) => ({
    host: `${responsible}.example`,
    responsible,
    ahead,
  });

  it('one server that differs is the one to set', () => {
    const verdict = judgeClocks([clock('mcp-server', 500), clock('authorization-server', -300_000)]);
    expect(verdict).toMatchObject({ outcome: 'fault', responsible: 'authorization-server' });
    expect(verdict.says).toContain('authorization-server.example is 300 s behind');
  });

  it('servers that differ alike mean that the clock here is wrong', () => {
    const verdict = judgeClocks([clock('mcp-server', 300_000), clock('authorization-server', 301_000)]);
    expect(verdict).toMatchObject({ outcome: 'fault', responsible: 'user' });
  });

  it('RFC 9111 §4.2.3 the age of a cached answer is added to its Date', () => {
    const cached = responseWith({ headers: { date: new Date(NOW - 3_600_000).toUTCString(), age: '3600' } });
    expect(clockOf(cached, 'mcp-server')).toMatchObject([{ ahead: 0 }]);
    expect(clockOf(responseWith({ headers: { date: 'yesterday' } }), 'mcp-server')).toEqual([]);
  });

  it('a difference within a minute is none', () => {
    expect(judgeClocks([clock('mcp-server', 59_000), clock('authorization-server', -59_000)]).outcome).toBe('passed');
  });
});

describe('a token', () => {
  const known = {
    url,
    issuer: 'https://login.example',
    challenge: { scheme: 'Bearer', parameters: { scope: 'mcp:tools' } },
  };
  const claims = {
    iss: 'https://login.example',
    aud: [url.href],
    sub: 'alice',
    client_id: 'c1',
    scope: 'mcp:tools',
    exp: NOW / 1000 + 600,
  };
  const header = { alg: 'ES256', typ: 'at+jwt' };
  const judged = (change: object, changedHeader: object = {}, signature: 'good' | 'bad' | 'unknown' = 'good') =>
    judgeToken(
      { header: { ...header, ...changedHeader }, claims: { ...claims, ...change }, signature, now: NOW },
      known,
    );

  it('a right token is explained: whose, for whom, until when', () => {
    expect(judged({})).toMatchObject({
      outcome: 'passed',
      says: 'subject alice, client c1, by https://login.example, for https://mcp.example.com/mcp, scope mcp:tools, until 2026-11-29T00:10:00Z. The signature is of the authorization server',
    });
  });

  it.each([
    ['another audience', { aud: 'api' }, 'aud is api, without https://mcp.example.com/mcp', 'authorization-server'],
    ['no audience', { aud: undefined }, 'aud is missing', 'authorization-server'],
    ['another issuer', { iss: 'https://other.example' }, 'iss is https://other.example, not', 'user'],
    ['an end in the past', { exp: NOW / 1000 - 5 }, 'it has expired 5 s ago', 'user'],
    ['no end', { exp: undefined }, 'exp is missing', 'authorization-server'],
    ['a beginning in the future', { nbf: NOW / 1000 + 300 }, 'it begins in 300 s', 'authorization-server'],
    ['another scope', { scope: 'openid', scp: ['email'] }, 'the scope mcp:tools is missing', 'user'],
    ['the nonce of an ID token', { nonce: 'n' }, 'it is an ID token', 'user'],
    ['a binding to a key', { cnf: { jkt: 'x' } }, 'it is bound to a key', 'user'],
  ])('%s is said, and the refusal of the server repeats it', (_, change, says, responsible) => {
    const verdict = judged(change);
    expect(verdict).toMatchObject({ outcome: 'note', says: expect.stringContaining(says) });
    const refusal = responseWith({ status: 401, body: '{"error":"invalid_token"}' });
    const refused = judgeInitialize({ sessionful: refusal, stateless: refusal }, { token: 't', ...verdict.learned });
    expect(refused).toMatchObject({ outcome: 'fault', responsible, says: expect.stringContaining(says) });
  });

  it.each([
    ['HS256', { alg: 'HS256' }, 'unknown', 'alg is HS256'],
    ['none', { alg: 'none' }, 'unknown', 'alg is none'],
    ['a signature of nobody', {}, 'bad', 'no published key fits its signature'],
    ['another typ', { typ: 'logout+jwt' }, 'good', 'typ is logout+jwt'],
  ] as const)('a header with %s is said', (_, changed, signature, says) => {
    expect(judged({}, changed, signature).says).toContain(says);
  });

  it('RFC 9728 §2 a token of any issuer that the metadata lists is right', () => {
    const resource = {
      url: 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
      document: { resource: url.href, authorization_servers: ['https://login.example', 'https://machines.example'] },
    };
    const judgedBy = (iss: string) =>
      judgeToken({ header, claims: { ...claims, iss }, signature: 'unknown', now: NOW }, { ...known, resource });
    expect(judgedBy('https://machines.example').outcome).toBe('passed');
    expect(judgedBy('https://other.example').says).toContain('not https://login.example, https://machines.example');
  });

  it.each([
    ['the issuer behind it, by whose keys it is signed', 'https://login.example', 'good', 'passed'],
    ['an issuer whose keys are not announced', 'https://login.example', 'unknown', 'note'],
    ['the same host with another scheme, which is a wrong setting', 'http://mcp.example.com', 'good', 'note'],
    ['nobody', undefined, 'good', 'note'],
  ] as const)(
    'where a server publishes the metadata itself, a token of %s: %s, signature %s, is %s',
    (_, iss, signature, outcome) => {
      const own = { ...known, issuer: 'https://mcp.example.com' };
      expect(judgeToken({ header, claims: { ...claims, iss }, signature, now: NOW }, own).outcome).toBe(outcome);
    },
  );

  it('a token that is no JWT is opaque, and nothing is said against it', () => {
    expect(judgeToken({ signature: 'unknown', now: NOW }, known)).toMatchObject({ outcome: 'passed' });
  });

  it('a token that only lacks a scope is told which, from the 403', () => {
    const answer = responseWith({
      status: 403,
      headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="mcp:tools mcp:admin"' },
    });
    expect(judgeInitialize({ sessionful: answer, stateless: answer }, { token: 't' })).toMatchObject({
      outcome: 'fault',
      responsible: 'user',
      fix: expect.stringContaining('mcp:tools mcp:admin'),
    });
  });
});

describe('revisions', () => {
  const json = { 'content-type': 'application/json' };
  const modern = responseWith({
    headers: json,
    body: '{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2026-07-28"]}}',
  });

  it('MCP 2026-07-28 a server without sessions is recognised by server/discover', () => {
    const refused = responseWith({
      status: 400,
      headers: json,
      body: '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}',
    });
    expect(judgeInitialize({ sessionful: refused, stateless: modern }, {})).toMatchObject({
      outcome: 'passed',
      says: '2026-07-28',
      learned: { revision: undefined, modern: ['2026-07-28'] },
    });
  });

  it('MCP 2025-11-25 an answer as an event stream is read', () => {
    const body =
      ': hello\n\nid: 1\ndata:\n\nevent: message\ndata: {"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}\n\n';
    expect(eventsIn(body)).toHaveLength(2);
    const sessionful = responseWith({ headers: { 'content-type': 'text/event-stream', 'mcp-session-id': 's1' }, body });
    expect(judgeInitialize({ sessionful, stateless: responseWith({ status: 400 }) }, {})).toMatchObject({
      outcome: 'passed',
      learned: { revision: '2025-11-25', session: 's1' },
    });
  });
});

describe('a stream', () => {
  const stream = { 'content-type': 'text/event-stream' };

  it.each([
    [
      'a first event that does not arrive',
      { listening: responseWith({ headers: stream, failure: 'TIMEOUT', cut: true }) },
      'fault',
    ],
    ['a head that does not arrive', { standing: responseWith({ status: 0, failure: 'TIMEOUT' }) }, 'fault'],
    ['compression', { standing: responseWith({ headers: { ...stream, 'content-encoding': 'gzip' } }) }, 'note'],
    ['405', { standing: responseWith({ status: 405 }) }, 'passed'],
    [
      'a stream of both eras',
      {
        standing: responseWith({ headers: stream }),
        listening: responseWith({ headers: stream, body: 'data: {}\n\n' }),
      },
      'passed',
    ],
    ['a web page', { standing: responseWith({ headers: { 'content-type': 'text/html' } }) }, 'note'],
  ])('%s is judged', (_, seen, outcome) => {
    expect(judgeStream(seen).outcome).toBe(outcome);
  });
});
