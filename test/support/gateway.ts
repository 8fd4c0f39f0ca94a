/** Owns a reverse proxy in a test: one address in front of several services, which it selects by path. */
import { type OutgoingHttpHeaders, request } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';

/** A port on this machine, and the path there if the proxy changes it. */
type Destination = number | { readonly port: number | undefined; readonly path: string } | undefined;

/**
 * @param destinationOf called for the path of every request
 * @param added headers that every forwarded request gets
 */
export const gateway = (
  destinationOf: (path: string) => Destination,
  added: () => OutgoingHttpHeaders = () => ({}),
): Promise<TestServer> =>
  serve((req, res) => {
    const { url = '/', method } = req;
    const headers = { ...req.headers, ...added() };
    const found = destinationOf(url);
    const { port, path } = typeof found === 'object' ? found : { port: found, path: url };
    const onward = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    // The client has its whole answer and has left; the upstream connection already serves another request.
    res.on('close', () => res.writableFinished || onward.destroy());
    req.pipe(onward);
  });
