/**
 * Owns the load balancer of the failover tests: each request goes to the next replica. A replica that does not listen
 * is skipped, as in any balancer, since no byte of the request was sent. It knows which calls are at which replica.
 */
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';

export interface Balancer extends TestServer {
  /** The replicas; may change at any time. */
  readonly ports: number[];
  /** Labels of the calls that a replica has not answered yet. */
  inFlight(port: number): readonly string[];
  /** The replica that accepted a call. Over HTTP+SSE, the POST is answered long before the call is done. */
  takenBy(label: string): number | undefined;
}

export interface BalancerOptions {
  /** Labels a call by its body; `undefined` for other requests. */
  readonly label: (body: string) => string | undefined;
  /** Milliseconds that a connection to a replica is kept for the next request; absent: connections are not kept. */
  readonly keepAlive?: number | undefined;
}

export async function startBalancer({ label, keepAlive }: BalancerOptions): Promise<Balancer> {
  const agent = keepAlive !== undefined && new Agent({ keepAlive: true, timeout: keepAlive });
  const ports: number[] = [];
  const calls = new Map<number, Set<string>>();
  const takers = new Map<string, number>();
  const callsAt = (port: number): Set<string> => {
    const known = calls.get(port) ?? new Set();
    calls.set(port, known);
    return known;
  };
  let turn = 0;
  const forward = (req: IncomingMessage, res: ServerResponse, body: string, [port = 0, ...others]: number[]): void => {
    const { method, url: path, headers } = req;
    const name = label(body);
    if (name) callsAt(port).add(name);
    const onward = request({ host: '127.0.0.1', port, path, method, headers, agent }, (answer) => {
      if (name) takers.set(name, port);
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => res.destroy());
      answer.pipe(res);
      answer.on('end', () => name && callsAt(port).delete(name));
    });
    onward.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED' || others.length === 0) return void res.destroy();
      if (name) callsAt(port).delete(name);
      forward(req, res, body, others);
    });
    res.on('close', () => res.writableFinished || onward.destroy());
    onward.end(body);
  };
  const server = await serve((req, res) => {
    // A kept connection could be closed at the moment in which a client reuses it; that is not what is tested here.
    res.shouldKeepAlive = false;
    turn += 1;
    const first = turn % ports.length;
    const order = [...ports.slice(first), ...ports.slice(0, first)];
    text(req).then(
      (body) => forward(req, res, body, order),
      () => res.destroy(),
    );
  });
  return { ...server, ports, inFlight: (port) => [...callsAt(port)], takenBy: (label) => takers.get(label) };
}
