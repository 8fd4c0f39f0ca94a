/** Owns a load balancer in a test: one address in front of many, the next one for every request, whoever asks. */
import { request } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';

/** @param ports where the replicas listen; may be filled after the balancer is up, as they need its address */
export const roundRobin = (ports: readonly number[]): Promise<TestServer> => {
  let turn = 0;
  return serve((req, res) => {
    const port = ports[turn % ports.length];
    turn += 1;
    const { url: path, method, headers } = req;
    const onward = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    req.pipe(onward);
  });
};
