/** Owns a reverse proxy in a test: one address in front of several services, which it selects by path. */
import { type OutgoingHttpHeaders, request } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';

/**
 * @param portFor port on this machine for a path; called for every request
 * @param added headers that every forwarded request gets
 */
export const gateway = (
  portFor: (path: string) => number | undefined,
  added: () => OutgoingHttpHeaders = () => ({}),
): Promise<TestServer> =>
  serve((req, res) => {
    const { url: path = '/', method } = req;
    const headers = { ...req.headers, ...added() };
    const onward = request({ host: '127.0.0.1', port: portFor(path), path, method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    // The client has its whole answer and has left; the upstream connection already serves another request.
    res.on('close', () => res.writableFinished || onward.destroy());
    req.pipe(onward);
  });
