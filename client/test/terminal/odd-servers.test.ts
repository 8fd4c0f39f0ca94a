/** Proves what a person sees of servers that answer oddly: one clear line, a status, and nothing that controls the terminal. */
import { describe, expect, it } from 'vitest';
import { newPerson, spawned } from '../support/client.ts';
import { opened, speaking, startOddServer } from '../support/odd-server.ts';

const answering =
  (status: number, headers: Readonly<Record<string, string>>, body = '') =>
  (_: unknown, res: import('node:http').ServerResponse) =>
    void res.writeHead(status, headers).end(body);

const JSON_TYPE = { 'content-type': 'application/json' };

describe('an answer that is not one of an MCP server', () => {
  it.each([
    [
      'a page',
      4,
      answering(200, { 'content-type': 'text/html' }, '<html>'),
      'the answer is not one of an MCP server: ',
    ],
    ['half an answer', 4, answering(200, JSON_TYPE, '{"jsonrpc"'), 'the answer is not one of an MCP server: '],
    ['an empty answer', 4, answering(200, JSON_TYPE), 'the answer is not one of an MCP server: '],
    ['a 404', 4, answering(404, {}, 'no\u001b[2J\nsuch page'), 'the server answers 404: no\\u001b[2J such page'],
    ['a 500', 4, answering(500, {}, 'a\n'.repeat(9_999)), 'the server answers 500: a a a'],
    [
      'a redirect to another host',
      1,
      answering(302, { location: 'https://other.example/mcp' }),
      'the server answers 302, a redirect to https://other.example/mcp: use that URL if you mean it',
    ],
  ])('%s ends with %d and one line', async (_, status, answer, line) => {
    await using server = await startOddServer(answer);
    using person = newPerson();
    const ran = await person.client(server.url);
    expect([ran.status, ran.stdout, ran.stderr.split('\n').length]).toEqual([status, '', 2]);
    expect(ran.stderr).toContain(`client: ${line}`);
    expect(ran.stderr.length).toBeLessThan(500);
  });

  it('a stream that says nothing ends with 4 when the time is over', async () => {
    await using server = await startOddServer((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    });
    using person = newPerson();
    const { status, stderr } = await person.client(`${server.url} --timeout 1`);
    expect([status, stderr]).toEqual([4, expect.stringMatching(/^client: no answer: /)]);
  });
});

describe('a challenge without a bearer token', () => {
  it.each([
    ['DPoP algs="ES256"', 'the server takes only tokens with a proof of possession (DPoP, RFC 9449)'],
    ['Basic realm="Bearer of news"', 'the server takes only the scheme Basic'],
  ])('RFC 9110 §11.6.1 %j ends with 1, before and in a sign-in', async (challenge, line) => {
    await using server = await startOddServer(answering(401, { 'www-authenticate': challenge }));
    using person = newPerson();
    for (const words of ['', ' login']) {
      const { status, stderr } = await person.client(`${server.url}${words}`);
      expect([status, stderr]).toEqual([1, expect.stringContaining(`client: ${line}`)]);
    }
  });

  it('RFC 9449 §7.2 a challenge with both leads to a sign-in', async () => {
    await using server = await startOddServer(answering(401, { 'www-authenticate': 'DPoP algs="ES256", Bearer' }));
    using person = newPerson();
    expect(await person.client(server.url)).toMatchObject({ status: 3 });
  });

  it('RFC 8414 §3 a sign-in without any metadata ends with 1 and says so', async () => {
    await using server = await startOddServer(answering(401, { 'www-authenticate': 'Bearer' }));
    using person = newPerson();
    const { status, stderr } = await person.client(`${server.url} login --no-browser`);
    expect([status, stderr]).toEqual([1, expect.stringContaining('no metadata of an authorization server was found')]);
  });
});

describe('what a server offers', () => {
  it('CWE-150 a name can neither control the terminal nor begin a line of its own', async () => {
    const tool = { name: 'a\u001b[31m\r\nfake', description: 'd\u001b[2J\nx', inputSchema: { type: 'object' } };
    const info = { name: 'odd\u001b]0;owned\u0007', version: '1\n2' };
    const answer = speaking({ ...opened({ tools: {} }, info), 'tools/list': { tools: [tool] } });
    await using server = await startOddServer(answer);
    using person = newPerson();
    const { status, stdout } = await person.client(server.url);
    const list = 'odd\\u001b]0;owned\\u0007 1 2 speaks 2025-11-25\n\nTools\n  a\\u001b[31m fake\n      d\\u001b[2J x\n';
    expect([status, stdout]).toEqual([0, list]);
  });

  it('MCP, lifecycle: a list that the server does not have is empty, and nothing but JSON is on standard output', async () => {
    const results = {
      ...opened({ tools: {}, resources: {} }),
      'tools/list': { tools: [] },
      'resources/list': { resources: [] },
    };
    await using server = await startOddServer(speaking(results));
    using person = newPerson();
    const { status, stdout, stderr } = await spawned([server.url, '--json'], person);
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ tools: [], resources: [], templates: [], prompts: [] });
  });

  it('MCP, pagination: all pages are read, and a list without an end ends with 1', async () => {
    let pages = 0;
    const listing =
      (last: number): ReturnType<typeof speaking> =>
      (req, res) => {
        pages += 1;
        const tools = [{ name: `t${pages}`, inputSchema: { type: 'object' } }];
        return speaking({
          ...opened({ tools: {} }),
          'tools/list': { tools, ...(pages < last && { nextCursor: `after-${pages}` }) },
        })(req, res);
      };
    await using server = await startOddServer((req, res) => listing(6)(req, res));
    using person = newPerson();
    expect(JSON.parse((await person.client(`${server.url} --json`)).stdout).tools.length).toBeGreaterThan(1);
    await using endless = await startOddServer((req, res) => listing(Number.POSITIVE_INFINITY)(req, res));
    expect(await person.client(endless.url)).toMatchObject({ status: 1, stdout: '' });
  });

  it('CWE-150 what the SDK itself writes about a tool has no control characters either', async () => {
    const CACHE = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
    const inputSchema = { type: 'object', properties: { a: { type: 'object', 'x-mcp-header': 'A B' } } };
    const results = {
      'server/discover': { ...CACHE, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
      'tools/list': { ...CACHE, tools: [{ name: 'bad\u001b[2J', inputSchema }] },
    };
    await using server = await startOddServer(speaking(results));
    using person = newPerson();
    const { status, stdout, stderr } = await spawned([server.url], person);
    expect([status, `${stdout}${stderr}`.includes('\u001b')]).toEqual([0, false]);
    expect(stderr).toContain("client: [mcp-sdk] excluding tool 'bad\\u001b[2J'");
  });
});
