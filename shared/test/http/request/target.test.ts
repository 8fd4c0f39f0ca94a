/** Proves how each form of a request target is read (RFC 9112 §3.2), and that none of them can end the process. */

import { errorBoundary } from '@mcp-oauth/shared/http/error-boundary';
import { requestLog } from '@mcp-oauth/shared/http/request-log';
import { listen } from '@mcp-oauth/shared/http/server';
import { createLogger } from '@mcp-oauth/shared/logger';
import { rawRequest, statusOf } from '@mcp-oauth/shared/testing/raw-request';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const lines: string[] = [];
const log = createLogger('test', 'debug', { write: (line) => void lines.push(line) });
const app = new Koa();
app.use(requestLog(log) as Koa.Middleware);
app.use(errorBoundary() as Koa.Middleware);
app.use((ctx) => {
  ctx.body = `${ctx.host} ${ctx.path} ${ctx.search}`;
});

let url: string;
let close: () => Promise<void>;
beforeAll(async () => {
  const listening = await listen(app.callback(), { host: '127.0.0.1', port: 0, log });
  url = `http://127.0.0.1:${listening.port}`;
  close = () => listening.close();
});
afterAll(() => close());

const ask = (target: string, method = 'GET') =>
  rawRequest(url, [`${method} ${target} HTTP/1.1`, 'Host: named.example']);

describe('RFC 9112 §3.2 the target of a request', () => {
  it.each([
    ['/a?b=c', 'named.example /a ?b=c'],
    ['http://other.example:81/a?b=c', 'named.example /a ?b=c'],
    ['HTTPS://OTHER.example', 'named.example / '],
    ['http://a:/x', 'named.example /x '],
    ['//a.example/b', 'named.example //a.example/b '],
  ])('the target %s is read', async (target, expected) => {
    const answer = await ask(target);
    expect([statusOf(answer), answer.split('\r\n\r\n')[1]]).toEqual([200, expected]);
  });

  it('the target * is read for OPTIONS', async () => {
    expect(statusOf(await ask('*', 'OPTIONS'))).toBe(200);
  });

  it.each([
    'http://[',
    'http://[::1',
    'http://a b',
    'http://',
    'https://%',
    'http://a:99999/',
    'a',
    'ftp://a/',
    '?x',
    '.',
    '%2f',
    'http:///a@[b',
    'http:///mcp',
    'http:\\\\a/',
  ])('the target %s is refused with 400, and the process stays up', async (target) => {
    lines.length = 0;
    expect(statusOf(await ask(target))).toBe(400);
    expect(statusOf(await ask('/'))).toBe(200);
    expect(lines.join('')).not.toMatch(/"stack"|"level":"(error|fatal)"/);
  });
});
