/** Owns a proxy in a test: one address in front of several services, which of them is for the path to say. */
import { type OutgoingHttpHeaders, request } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';

/**
 * @param portFor which port on this machine a path goes to; asked for every request
 * @param added headers that every request gets on its way
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
    // Who got everything has left; the connection behind is another request's by now.
    res.on('close', () => res.writableFinished || onward.destroy());
    req.pipe(onward);
  });
