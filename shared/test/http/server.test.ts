import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '@mcp-oauth/shared/errors';
import { listen } from '@mcp-oauth/shared/http/server';
import { createLogger } from '@mcp-oauth/shared/logger';
import { describe, expect, it } from 'vitest';

describe('a listening server', () => {
  it('a server listens on loopback only, IPv4 and IPv6, unless configured otherwise', async () => {
    const listening = await listen((_, res) => res.end('hello'), { port: 0 });
    try {
      for (const host of ['127.0.0.1', '[::1]', 'localhost']) {
        expect(await (await fetch(`http://${host}:${listening.port}`)).text()).toBe('hello');
      }
    } finally {
      await listening.close();
    }
  });

  it('a busy port is named in one line', async () => {
    const busy = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => busy.once('listening', resolve));
    const { port } = busy.address() as AddressInfo;
    await expect(listen(() => {}, { port })).rejects.toThrow(
      new StartError(`port ${port} on 127.0.0.1 is already in use by another program`),
    );
    busy.close();
  });

  it('a request on which the handler throws is answered with 500 and logged, and ends no process', async () => {
    const lines: string[] = [];
    const log = createLogger('test', 'error', { write: (line: string) => void lines.push(line) });
    const handler: RequestListener = ({ url }, res) => {
      if (url === '/begun') res.writeHead(200).flushHeaders();
      if (url !== '/') throw new TypeError('unforeseen');
      res.end('hello');
    };
    const listening = await listen(handler, { host: '127.0.0.1', port: 0, log });
    const ask = (path: string) => fetch(`http://127.0.0.1:${listening.port}${path}`);
    expect((await ask('/bad')).status).toBe(500);
    await expect(ask('/begun').then((answer) => answer.text())).rejects.toThrow();
    expect(await (await ask('/')).text()).toBe('hello');
    const failed = { msg: 'request failed', err: { message: 'unforeseen' } };
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([failed, failed]);
    await listening.close();
  });

  it('a connection that the system cannot accept ends no process, is logged, and the next one is accepted', async () => {
    const lines: string[] = [];
    const log = createLogger('test', 'warn', { write: (line: string) => void lines.push(line) });
    const found = Promise.withResolvers<Server>();
    const note = (message: unknown) => found.resolve((message as { readonly server: Server }).server);
    subscribe('http.server.request.start', note);
    const listening = await listen((_, res) => res.end('hello'), { host: '127.0.0.1', port: 0, log });
    const ask = async () => (await fetch(`http://127.0.0.1:${listening.port}`)).text();
    expect(await ask()).toBe('hello');
    const server = await found.promise;
    unsubscribe('http.server.request.start', note);
    // What Node.js emits when accept(2) fails: without a listener, this would throw.
    for (const code of ['ENFILE', 'ENFILE', 'ENOBUFS'])
      server.emit('error', Object.assign(new Error(`accept ${code}`), { code, syscall: 'accept' }));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { msg: 'connection not accepted', err: { errno: 'ENFILE' } },
      { msg: 'connection not accepted', err: { errno: 'ENOBUFS' } },
    ]);
    expect(await ask()).toBe('hello');
    await listening.close();
  });

  it('a closing server lets running requests finish, refuses new ones, and cuts off what exceeds the limit', async () => {
    const arrived = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const listening = await listen(
      async (req, res) => {
        if (req.url === '/stuck') return;
        arrived.resolve();
        await finish.promise;
        res.end('done');
      },
      { host: '127.0.0.1', port: 0 },
    );
    const url = `http://127.0.0.1:${listening.port}`;
    const running = fetch(url).then((answer) => answer.text());
    const stuck = fetch(`${url}/stuck`).catch(() => 'cut');
    await arrived.promise;
    const closed = listening.close({ grace: 3_000 });
    await listening.refuse();
    await expect(fetch(url)).rejects.toThrow();
    finish.resolve();
    expect(await running).toBe('done');
    expect(await stuck).toBe('cut');
    await closed;
  });

  it('a server is closed as soon as its last request has ended, although the connection is kept alive', async () => {
    const arrived = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const listening = await listen(
      async (_, res) => {
        arrived.resolve();
        await finish.promise;
        res.end('done');
      },
      { host: '127.0.0.1', port: 0 },
    );
    const running = fetch(`http://127.0.0.1:${listening.port}`).then((answer) => answer.text());
    await arrived.promise;
    const never = 2 ** 31 - 1;
    const closed = listening.close({ grace: never });
    finish.resolve();
    expect(await running).toBe('done');
    await closed;
  });
});
