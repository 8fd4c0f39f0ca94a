/** Proves that answers which are written together, at the end of a turn, are those that were given. */
import { once } from 'node:events';
import { request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { answer, gather, JSON_ANSWER, listOf } from '@mcp-oauth/shared/http/answer';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { expect, it } from 'vitest';

const SMALL = 16_384;

it('a hundred answers that are given in one turn of the event loop arrive whole, each at its caller', async () => {
  const asked: (readonly [string, ServerResponse])[] = [];
  await using server = await serve((req, res) => {
    asked.push([req.url ?? '', res]);
    if (asked.length < 100) return;
    for (const [url, each] of asked) answer(each, 200, JSON_ANSWER, url.repeat(url.endsWith('7') ? SMALL : 1));
  });
  const paths = Array.from({ length: 100 }, (_, n) => `/${n}`);
  const texts = await Promise.all(paths.map(async (path) => (await fetch(server.url + path)).text()));
  expect(texts).toEqual(paths.map((path) => path.repeat(path.endsWith('7') ? SMALL : 1)));
});

it('a caller that is cut off before its answer is written harms neither the others nor the process', async () => {
  const errors: unknown[] = [];
  await using server = await serve((req, res) => {
    res.on('error', (error) => errors.push(error));
    answer(res, 200, JSON_ANSWER, '{}');
    if (req.url === '/left') res.destroy();
  });
  const left = request(`${server.url}/left`).end();
  await once(left, 'error');
  expect(await (await fetch(server.url)).text()).toBe('{}');
  expect(errors).toEqual([]);
});

it('an answer has what was gathered for it, and each value of a header that has several', async () => {
  await using server = await serve((_, res) => {
    gather(res, ['X-First', '1']);
    gather(res, ['X-Second', '2']);
    answer(res, 429, [...JSON_ANSWER, ...listOf({ 'Retry-After': '5', Link: ['<a>', '<b>'] })], '"é"');
  });
  const found = await fetch(server.url);
  expect(found.status).toBe(429);
  expect(Object.fromEntries(found.headers)).toMatchObject({
    ...{ 'x-first': '1', 'x-second': '2', 'retry-after': '5', link: '<a>, <b>' },
    ...{ 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': '4' },
  });
});

it('RFC 9112 §9.3: a request has its answer although what follows it in the same packet is no HTTP', async () => {
  await using server = await serve((_, res) => answer(res, 401, JSON_ANSWER, '{"error":"unauthorized"}'));
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  // Content-Length counts characters, and the body has more bytes.
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"\u00e9"\u0000');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 401 .*unauthorized.*HTTP\/1\.1 400 /s);
});
