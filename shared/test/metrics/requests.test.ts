/** Proves that a request is counted under a route of the service, never under text from the request itself. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Histogram } from '@mcp-oauth/shared/metrics/metric';
import { createRouteOf, requestDuration, timed } from '@mcp-oauth/shared/metrics/requests';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { describe, expect, it } from 'vitest';

const ROUTES = ['/', '/mcp', '/interaction/:uid', '/interaction/:uid/approve', '/.well-known/x'];

describe('the route of a path', () => {
  const routeOf = createRouteOf(ROUTES);
  it.each([
    ['/', '/'],
    ['/mcp', '/mcp'],
    ['/MCP/', '/mcp'],
    ['/interaction/4711', '/interaction/:uid'],
    ['/interaction/4711/Approve', '/interaction/:uid/approve'],
    ['/interaction/4711/other', 'other'],
    ['/interaction/', 'other'],
    ['/.well-known/x', '/.well-known/x'],
    ['/xwell-known/x', 'other'],
    ['/mcp/../secret', 'other'],
    ['', 'other'],
    ['//', '/'],
  ])('the route of %s is %s', (path, route) => expect(routeOf(path)).toBe(route));
});

describe('a timed request handler', () => {
  const counts = (duration: Histogram) =>
    duration
      .samples()
      .filter(({ suffix }) => suffix === '_count')
      .map(({ labels, value }) => [...labels.map(([, text]) => text), value].join(' '));

  it('a request is counted by route, method and status class, and nothing of its target is kept', async () => {
    const duration = new Histogram(requestDuration(ROUTES));
    const handler = timed(
      (req, res) => void res.writeHead(req.url === '/mcp' ? 204 : 404).end(),
      duration,
      createRouteOf(ROUTES),
    );
    await using server = await serve(handler);
    for (const path of ['/mcp', '/mcp', '/a-secret?code=a-secret', '/interaction/a-secret'])
      await fetch(server.url + path);
    await fetch(`${server.url}/mcp`, { method: 'PATCH' });
    await server.close();
    expect(counts(duration).sort()).toEqual([
      '/interaction/:uid GET 4xx 1',
      '/mcp GET 2xx 2',
      '/mcp other 2xx 1',
      'other GET 4xx 1',
    ]);
    expect(JSON.stringify(duration.samples())).not.toContain('secret');
  });

  it('a client that disconnects before the answer is counted', async () => {
    const duration = new Histogram(requestDuration(ROUTES));
    const [arrived, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const silent = timed(
      (_, res) => {
        res.on('close', left.resolve);
        arrived.resolve();
      },
      duration,
      createRouteOf(ROUTES),
    );
    await using server = await serve(silent);
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrived.promise;
    socket.destroy();
    await left.promise;
    expect(counts(duration)).toEqual(['/mcp GET none 1']);
  });
});
