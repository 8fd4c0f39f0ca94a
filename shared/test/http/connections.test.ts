import { once } from 'node:events';
import { connect } from 'node:net';
import { listenerOf, logConnections } from '@mcp-oauth/shared/http/connections';
import { createLogger } from '@mcp-oauth/shared/logger';
import { serve } from '@mcp-oauth/shared/testing/listen';
import Koa from 'koa';
import { expect, it, vi } from 'vitest';

function appWithLog() {
  const app = new Koa();
  const lines: string[] = [];
  logConnections(app, createLogger('sample', 'debug', { write: (line) => lines.push(line) }));
  return { app, log: () => lines.map((line) => JSON.parse(line)) };
}

it('a client that disconnects in the middle of an answer causes no warning, and no stack on the console', async () => {
  using printed = vi.spyOn(console, 'error').mockReturnValue();
  const { app, log } = appWithLog();
  app.use((ctx) => {
    ctx.respond = false;
    ctx.res.writeHead(200).flushHeaders();
  });
  await using server = await serve(app.callback());
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  socket.resetAndDestroy();
  await expect
    .poll(log)
    .toEqual([expect.objectContaining({ level: 'debug', msg: 'client left', reason: 'ECONNRESET' })]);
  expect(printed).not.toHaveBeenCalled();
});

it('an error that Koa cannot answer closes the connection and ends no process', async () => {
  const { app } = appWithLog();
  app.use((ctx) => {
    ctx.res.writeHead(200).flushHeaders();
    // Koa writes into the error that it reports.
    throw Object.freeze(new Error('unforeseen'));
  });
  await using server = await serve(listenerOf(app));
  await expect(fetch(server.url).then((answer) => answer.text())).rejects.toThrow();
});

it('any other failure outside the error boundary is logged as a warning with its stack', async () => {
  const { app, log } = appWithLog();
  app.use(() => {
    throw new Error('unforeseen');
  });
  await using server = await serve(app.callback());
  expect((await fetch(server.url)).status).toBe(500);
  expect(log()).toEqual([
    expect.objectContaining({ level: 'warn', err: expect.objectContaining({ message: 'unforeseen' }) }),
  ]);
});
