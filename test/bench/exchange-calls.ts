/**
 * Owns the calls of `npm run bench:exchange`: the tool `github_profile` at three mcp-servers, which ask two auth-servers. Each call has
 * an access token that no mcp-server has seen, so each of them causes an exchange.
 */
import type { JWK } from 'jose';
import type { GithubApp } from '../e2e/github-apps.ts';
import { CONNECTIONS } from './load.ts';
import { callStateless } from './mcp-parties.ts';
import { listenerOf, startProduct } from './mcp-servers.ts';
import { type Cost, type Listener, press } from './wire.ts';

interface Parties {
  readonly issuer: string;
  /** The second auth-server. */
  readonly replica: Listener;
  readonly redisUrl: string;
  readonly github: GithubApp;
  /** How mcp-server identifies itself at the exchange. */
  readonly client: { readonly id: string; readonly key: JWK };
  /** Access tokens of the person that are new. */
  readonly fresh: (count: number) => Promise<readonly string[]>;
}

/** The first auth-server has one core; most of this runs on the other. */
const CORES = ['server', 'rest', 'rest'] as const;

/** @returns how to prepare so many calls, which then run */
export async function mcpServers(
  started: AsyncDisposableStack,
  { issuer, replica, redisUrl, github, client, fresh }: Parties,
): Promise<(total: number) => Promise<() => Promise<Cost>>> {
  const start = async (core: (typeof CORES)[number]) =>
    started.use(
      await startProduct(issuer, {
        logs: true,
        redis: redisUrl,
        core,
        env: {
          UPSTREAMS: 'github',
          UPSTREAM_GITHUB_URL: `${github.url}/api`,
          EXCHANGE_CLIENT_ID: client.id,
          EXCHANGE_KEY: JSON.stringify(client.key),
          ...(core === 'rest' && { ISSUER_INTERNAL_URL: `http://localhost:${replica.port}` }),
        },
      }),
    );
  const servers = (await Promise.all(CORES.map(start))).map(listenerOf);
  const answered = () => github.counts.get('/user') ?? 0;
  return async (total) => {
    const requests = (await fresh(total)).map((token) =>
      callStateless(token, { name: 'github_profile', arguments: {} }),
    );
    const speakers = Array.from({ length: CONNECTIONS }, () => () => requests.pop()?.());
    return async () => {
      const before = answered();
      const cost = await press({ servers, speakers, expected: '"login"' });
      if (answered() - before !== total) throw new Error(`GitHub answered ${answered() - before} of ${total} calls`);
      return cost;
    };
  };
}
