/**
 * Owns several mcp-servers behind a balancer, on one real Redis that each reaches over a network of its own, and their
 * tokens.
 */
import { fileURLToPath } from 'node:url';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { signingKey, signToken, startIssuer } from '../../mcp-server/test/support/issuer.ts';
import { Run } from '../support/stack.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type Relay, startRelay } from './cut.ts';

const TOOLS = fileURLToPath(new URL('./tools/', import.meta.url));

interface Replica {
  readonly port: number;
  readonly run: Run;
  /** Its network to Redis. */
  readonly network: Relay;
}

export interface Fleet extends AsyncDisposable {
  /** URL of the MCP endpoint, behind the balancer. */
  readonly url: URL;
  readonly balancer: Balancer;
  readonly redis: TestRedis;
  readonly replicas: Replica[];
  token(subject: string): Promise<string>;
  /** Adds a replica. */
  add(): Promise<Replica>;
  /**
   * Stops a replica as a rolling update does: it keeps its address until it has ended, then another replica takes its
   * place.
   */
  replace(replica: Replica): Promise<void>;
  output(): string;
}

/** Calls are identified by their `label` argument. */
const labelOf = (body: string): string | undefined => /"label":"([^"]+)"/.exec(body)?.[1];

export interface FleetOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds that the balancer keeps a connection to a replica. */
  readonly keepAlive?: number;
}

export async function startFleet(size: number, { env = {}, keepAlive }: FleetOptions = {}): Promise<Fleet> {
  await using starting = new AsyncDisposableStack();
  const issuer = starting.use(await startIssuer());
  const key = await signingKey('failover');
  issuer.keys.push(key.publicJwk);
  const redis = starting.use(await startRedis());
  const balancer = await startBalancer({ label: labelOf, keepAlive });
  starting.defer(() => balancer.close());
  const publicUrl = balancer.url.replace('127.0.0.1', 'localhost');
  const replicas: Replica[] = [];
  const add = async (): Promise<Replica> => {
    const network = await startRelay(redis.ports[0] ?? 0);
    const [port = 0] = await freePorts(1);
    const run = new Run(
      {
        PUBLIC_URL: publicUrl,
        ISSUER: issuer.url,
        PORT: String(port),
        TOOLS_DIR: TOOLS,
        REDIS_URL: `redis://127.0.0.1:${network.port}`,
        LOG_LEVEL: 'info',
        ...env,
      },
      'mcp-server/src/main.ts',
    );
    await run.says('"msg":"ready"');
    const replica = { port, run, network };
    replicas.push(replica);
    balancer.ports.push(port);
    return replica;
  };
  const replace = async (replica: Replica): Promise<void> => {
    await replica.run.stop();
    balancer.ports.splice(balancer.ports.indexOf(replica.port), 1);
    await add();
  };
  starting.defer(async () => {
    await Promise.all(replicas.map(({ run }) => run.stop('SIGKILL')));
    await Promise.all(replicas.map(({ network }) => network[Symbol.asyncDispose]()));
  });
  await Promise.all(Array.from({ length: size }, add));
  const token = (subject: string) => {
    const iat = Math.floor(Date.now() / 1000);
    const who = { iss: issuer.url, aud: `${publicUrl}/mcp`, sub: subject, client_id: 'failover', scope: 'mcp:tools' };
    return signToken({ key, claims: { ...who, iat, exp: iat + 3_600, jti: subject } });
  };
  const started = starting.move();
  return {
    url: new URL(`${publicUrl}/mcp`),
    balancer,
    redis,
    replicas,
    token,
    add,
    replace,
    output: () => replicas.map(({ run }) => run.output).join('\n'),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
