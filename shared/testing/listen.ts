/** Owns a server in a test: any request handler on a free loopback port, closed by `await using`. */
import type { RequestListener } from 'node:http';
import { listen } from '../src/http/server.ts';

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  close(): Promise<void>;
}

export async function serve(handler: RequestListener): Promise<TestServer> {
  const listening = await listen(handler, { host: '127.0.0.1', port: 0 });
  const close = () => listening.close();
  return { url: `http://127.0.0.1:${listening.port}`, close, [Symbol.asyncDispose]: close };
}
