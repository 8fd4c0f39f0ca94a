/**
 * Owns an HTTP proxy in a test (RFC 9110 §9.3.6): it tunnels every connection to loopback, whatever host is named, and
 * records the requests.
 */
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect } from 'node:net';
import { freePorts } from './ports.ts';

export interface TestProxy extends AsyncDisposable {
  readonly url: string;
  /** `host:port` of each CONNECT. */
  readonly asked: readonly string[];
  /** Credentials of these requests. */
  readonly credentials: readonly (string | undefined)[];
  /** Number of connections, with whatever request. */
  readonly connections: number;
  /** The status to answer in place of 200; with 0 the proxy never answers. */
  status: number;
}

export interface ProxyOptions {
  /** Maps a requested port to the loopback port that really serves it. */
  readonly ports?: Readonly<Record<number, number>>;
  /** Makes it a proxy that is reached over TLS, as localhost. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export async function startProxy({ ports = {}, tls }: ProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const credentials: (string | undefined)[] = [];
  let connections = 0;
  const [port = 0] = await freePorts(1);
  const server = tls ? createSecureServer(tls) : createServer();
  server.on('request', (_, res) => res.writeHead(405).end());
  const open = new Set<{ destroy(): unknown }>();
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
  });
  server.on('connect', ({ url = '', headers }, socket) => {
    asked.push(url);
    credentials.push(headers['proxy-authorization']);
    socket.on('error', () => {});
    if (proxy.status === 0) return;
    if (proxy.status !== 200) return void socket.end(`HTTP/1.1 ${proxy.status} No\r\n\r\n`);
    const wanted = Number(url.split(':').at(-1));
    const onward = connect(ports[wanted] ?? wanted, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    open.add(onward);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const proxy: TestProxy = {
    url: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    asked,
    credentials,
    get connections() {
      return connections;
    },
    status: 200,
    [Symbol.asyncDispose]: async () => {
      for (const each of open) each.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
