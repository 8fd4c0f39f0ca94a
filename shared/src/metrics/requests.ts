/** Owns how requests are counted: by the route as the service knows it, never by the path that the client sent. */
import type { RequestListener } from 'node:http';
import type { Declaration } from './declaration.ts';
import type { Histogram } from './metric.ts';
import { OTHER } from './series.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', OTHER];

/** By the first digit; `none` if the client left before there was an answer. */
const STATUSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** @param routes as the service writes them, with `:name` for a segment that differs */
export const requestDuration = (routes: readonly string[]): Declaration => ({
  name: 'http_request_duration_seconds',
  type: 'histogram',
  help: 'Duration of requests, from the head of the request to the end of the answer. A stream is counted when it ends.',
  labels: { route: [...routes, OTHER], method: METHODS, status: STATUSES },
});

/** Measures the duration of every request of a handler. */
export function timed(
  handler: RequestListener,
  duration: Histogram,
  routeOf: (path: string) => string,
): RequestListener {
  return (req, res) => {
    const started = performance.now();
    const { method = OTHER, url = '' } = req;
    res.on('close', () => {
      const status = res.headersSent ? STATUSES[Math.floor(res.statusCode / 100)] : undefined;
      duration.observe((performance.now() - started) / 1000, routeOf(pathOf(url)), method, status ?? 'none');
    });
    handler(req, res);
  };
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  return path.startsWith('/') ? path : (URL.parse(path)?.pathname ?? '');
}

/** Accepts every spelling that is served: neither case nor a trailing slash makes another route. */
export function createRouteOf(routes: readonly string[]): (path: string) => string {
  const exact = new Map(routes.map((route) => [route, route]));
  const patterns = routes
    .filter((route) => route.includes(':'))
    .map((route) => [new RegExp(`^${route.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`), route] as const);
  return (path) => {
    const known = exact.get(path);
    if (known !== undefined) return known;
    const plain = path.toLowerCase().replace(/(?<=.)\/$/, '');
    return exact.get(plain) ?? patterns.find(([pattern]) => pattern.test(plain))?.[1] ?? OTHER;
  };
}
