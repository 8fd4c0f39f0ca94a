/**
 * Owns the load balancer of the failover tests: the next replica for every request, and one that does not listen is passed over,
 * as any balancer does, since nothing of the request has left then. It knows which calls are where.
 */
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';

export interface Balancer extends TestServer {
  /** Where requests go; may change at any time. */
  readonly ports: number[];
  /** What `label` says of the calls that a replica has not answered yet. */
  inFlight(port: number): readonly string[];
  /** Which replica has taken a call, as far as it has been answered: over HTTP+SSE that is long before the call is done. */
  takenBy(label: string): number | undefined;
}

export interface BalancerOptions {
  /** Names a call by its body; `undefined` for what is of no interest. */
  readonly label: (body: string) => string | undefined;
  /** Milliseconds that a connection to a replica is kept for the next request; absent: not at all. */
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
    // A connection that is kept could be closed just when a client takes it again: no failure of what is tested here.
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
