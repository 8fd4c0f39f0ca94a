/** Proves the limits of the requests that the doctor sends to servers that it does not know. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@mcp-oauth/shared/clock';
import { describe, expect, it } from 'vitest';
import { createAsk } from '../src/doctor/network/ask.ts';
import { createListen } from '../src/doctor/network/listen.ts';

const options = { now: () => systemClock.now(), proxyFor: () => undefined };

/** For what ends by itself: a busy machine may take long. */
const ask = createAsk({ ...options, timeout: 60_000 });
/** For what ends with the limit alone. */
const askBriefly = createAsk({ ...options, timeout: 2_000 });

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: close };
}

describe('a stream of events that the doctor keeps open', () => {
  const listen = createListen({ ...options, timeout: 60_000 });
  const listenBriefly = createListen({ ...options, timeout: 1_000 });

  it('HTML §9.2.6 gives each event, whatever its line ends, and skips comments', async () => {
    await using server = await serve((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(': hello\n\nevent: endpoint\r\ndata: /x\r\n\r\ndata: 1\ndata: 2\n\n');
    });
    const { next, close } = await listen({ url: server.url });
    expect([await next(), await next()]).toEqual([
      { event: 'endpoint', data: '/x' },
      { event: 'message', data: '1\n2' },
    ]);
    close();
  });

  it('the stream ends if no event comes in time', async () => {
    await using server = await serve((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    });
    const { head, next, close } = await listenBriefly({ url: server.url });
    expect([head.status, await next()]).toEqual([200, undefined]);
    close();
  });

  it('the stream ends although a server sends events for ever', async () => {
    await using server = await serve((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => res.write('data: again\n\n'), 20);
      res.once('close', () => clearInterval(timer));
    });
    const { next } = await listenBriefly({ url: server.url });
    const events: unknown[] = [];
    for (let event = await next(); event; event = await next()) events.push(event);
    expect(events.length).toBeGreaterThan(1);
  });

  it('the stream ends after a limit of bytes', async () => {
    await using server = await serve((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const more = () => {
        while (!res.destroyed && res.write(`data: ${'x'.repeat(65_536)}`));
        if (!res.destroyed) res.once('drain', more);
      };
      more();
    });
    const { next } = await listen({ url: server.url });
    expect(await next()).toBeUndefined();
  });

  it('an answer that is no stream has a head and no events', async () => {
    await using server = await serve((_, res) => res.writeHead(404).end('data: 1\n\n'));
    const { head, next } = await listen({ url: server.url });
    expect([head.status, await next()]).toEqual([404, undefined]);
  });
});

describe('a request of the doctor', () => {
  it('an answer larger than the limit is cut', async () => {
    await using server = await serve((_, res) => {
      const more = () => {
        while (!res.destroyed && res.write('x'.repeat(65_536)));
        if (!res.destroyed) res.once('drain', more);
      };
      more();
    });
    const { status, body, cut } = await ask({ url: server.url });
    expect([status, body.length, cut]).toEqual([200, 1024 * 1024, true]);
  });

  it('a server that never answers is given up', async () => {
    await using server = await serve(() => {});
    expect(await askBriefly({ url: server.url })).toMatchObject({ status: 0, failure: 'TIMEOUT' });
  });

  it('a body that never ends is given up, and what came is kept', async () => {
    await using server = await serve((_, res) => res.write('half'));
    const answer = await askBriefly({ url: server.url });
    expect(answer).toMatchObject({ status: 200, body: 'half', cut: true, failure: 'TIMEOUT' });
  });

  it('a stream ends after its first event', async () => {
    await using server = await serve((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: 1\n\n');
    });
    expect(await ask({ url: server.url, until: 'event' })).toMatchObject({ body: 'data: 1\n\n', cut: false });
  });

  it('a redirect is recorded and not followed', async () => {
    await using server = await serve((_, res) => res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    expect(await ask({ url: server.url })).toMatchObject({ status: 302, headers: { location: 'http://127.0.0.1:1/' } });
  });

  it('a connection that is cut within the body is recorded', async () => {
    await using server = await serve((_, res) => {
      res.writeHead(200, { 'content-length': '10' });
      res.write('half', () => res.destroy());
    });
    expect(await ask({ url: server.url })).toMatchObject({
      status: 200,
      body: 'half',
      cut: true,
      failure: 'ECONNRESET',
    });
  });

  it('a header that HTTP does not allow is a failure, and no exception', async () => {
    expect(await ask({ url: 'http://127.0.0.1:1/', headers: { 'user-agent': 'a\nb' } })).toMatchObject({ status: 0 });
  });
});
