/** Owns the address on this machine to which the browser comes back after a sign-in (RFC 8252 §7.3). */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '@mcp-oauth/shared/errors';
import { NotAgreed } from './grant.ts';

export interface Loopback extends AsyncDisposable {
  readonly redirectUrl: string;
  /** @returns the parameters of the authorization response; rejects after `timeout` milliseconds */
  answer(timeout: number): Promise<URLSearchParams>;
}

const PATH = '/callback';

const PAGE = 'The answer has arrived. You can close this page and go back to the terminal.\n';

/**
 * @param state of the authorization request: whatever else comes is ignored (RFC 6749 §10.12)
 * @param redirectUrl whose port is used if it is free: some authorization servers compare ports, against RFC 8252 §7.3
 * @param port the only one that the authorization server knows
 */
export async function listenOnLoopback(state: string, redirectUrl?: string, port?: number): Promise<Loopback> {
  const arrived = Promise.withResolvers<URLSearchParams>();
  const server = createServer((req, res) => {
    // Any page in the browser can send requests here, and `//` is no URL: an error here would end the process.
    const url = URL.parse(req.url ?? '/', 'http://127.0.0.1');
    const answer = url?.pathname === PATH && url.searchParams.get('state') === state ? url.searchParams : undefined;
    res.writeHead(answer ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
    res.end(answer ? PAGE : 'Nothing here.\n');
    if (answer) arrived.resolve(answer);
  });
  const wanted = port ?? (Number(URL.parse(redirectUrl ?? '')?.port) || 0);
  await listen(server, wanted).catch((error: NodeJS.ErrnoException) => {
    if (port !== undefined) throw new StartError(`port ${port} of this machine is in use (--port)`, { cause: error });
    if (wanted === 0) throw error;
    return listen(server, 0);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    redirectUrl: `http://127.0.0.1:${taken}${PATH}`,
    answer: (timeout) => {
      const timer = setTimeout(() => arrived.reject(new NotAgreed('nobody has signed in in time')), timeout);
      return arrived.promise.finally(() => clearTimeout(timer));
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
