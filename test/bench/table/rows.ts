/**
 * Owns what `npm run bench` measures: each row with our server, what it is compared with, and the goals. All tokens
 * refer to a status list and a rule for claims holds for them; every server of ours keeps its log.
 */
import { join } from 'node:path';
import { startRedis } from '@mcp-oauth/shared/testing/redis';
import { lengthOf } from '../load.ts';
import {
  callInSession,
  callStateless,
  ECHO,
  initialize,
  listTools,
  type Parties,
  type ToolCall,
} from '../mcp-parties.ts';
import { type Choice, type Contestant, listenerOf, startProduct, startRaw, startReference } from '../mcp-servers.ts';
import { openSessions } from '../sessions.ts';
import type { Speaker } from '../wire.ts';
import { manyTools } from './many-tools.ts';
import type { Entrant, Row } from './row.ts';

type Begin = (ports: readonly number[]) => Promise<readonly Speaker[]>;

const enter = (name: string, servers: readonly Contestant[], begin: Begin, expected = '"result"'): Entrant => ({
  name,
  servers: servers.map(listenerOf),
  begin: () => begin(servers.map(({ port }) => port)),
  expected,
});

/** The answer becomes a stream, because it reports its progress. */
const COUNTDOWN: ToolCall = { name: 'countdown', arguments: { from: 1, interval_ms: 0 }, progressToken: 1 };

/** Tokens that are used once in a round. */
const FRESH = 5_000;

interface Making {
  readonly parties: Parties;
  /** Where the audit is written. */
  readonly folder: string;
  /** What the row starts ends with it. */
  readonly started: AsyncDisposableStack;
}

type Make = (making: Making) => Promise<Row>;

const ours = ({ parties, started }: Making, more: Choice = {}): Promise<Contestant> =>
  startProduct(parties.issuer, { logs: true, requiredClaims: 'client_id=bench', ...more }).then((server) =>
    started.use(server),
  );

const audited = (making: Making): Promise<Contestant> => ours(making, { audit: join(making.folder, 'audit.jsonl') });

const inSession =
  (tokens: readonly string[], call: ToolCall): Begin =>
  async ([port = 0]) =>
    (await openSessions(port, tokens)).map(({ id, token }) => callInSession(token, id, call));

const stateless =
  (tokens: readonly string[], call: ToolCall): Begin =>
  async () =>
    tokens.map((token) => callStateless(token, call));

/** Each connection takes sessions in turn: those that were opened on all servers, or only those of its own. */
const sessionsInTurn =
  (tokens: readonly string[], ofAll: boolean): Begin =>
  async (ports) => {
    const share = Math.ceil(tokens.length / ports.length);
    const opened = await Promise.all(
      ports.map((port, n) => openSessions(port, tokens.slice(n * share, (n + 1) * share))),
    );
    return tokens.map((_, connection) => {
      const sessions = ofAll ? opened.flat() : (opened[connection % ports.length] ?? []);
      const calls = sessions.map(({ id, token }) => callInSession(token, id, ECHO));
      let turn = connection;
      return () => calls[turn++ % calls.length]?.();
    });
  };

const anyToken =
  (tokens: readonly string[]): Begin =>
  async () =>
    tokens.map((_, connection) => {
      const calls = tokens.map((token) => callStateless(token, ECHO));
      let turn = connection;
      return () => calls[turn++ % calls.length]?.();
    });

const versus =
  (
    name: string,
    goal: Row['goal'],
    begin: (parties: Parties) => Begin,
    start: (making: Making) => Promise<Contestant>,
  ) =>
  async (making: Making): Promise<Row> => {
    const work = begin(making.parties);
    const reference = making.started.use(await start(making));
    const [own, withAudit] = [await ours(making), await audited(making)];
    return {
      name,
      goal,
      own: enter('mcp-server', [own], work),
      reference: enter(reference.name, [reference], work),
      others: [enter('mcp-server, audit', [withAudit], work)],
    };
  };

const session = ({ referring }: Parties): Begin => inSession(referring, ECHO);

const REPLICAS = 2;

/**
 * The same work with sessions in Redis, on replicas, against one server that keeps them in memory. The others tell the
 * cost of Redis from that of two processes on one core.
 */
const shared =
  (name: string, begin: (tokens: readonly string[], ofAll: boolean) => Begin): Make =>
  async (making) => {
    const { url: redis } = making.started.use(await startRedis());
    const start = async (count: number, more: Choice = {}) => {
      const servers: Contestant[] = [];
      while (servers.length < count) servers.push(await ours(making, more));
      return servers;
    };
    const tokens = making.parties.referring;
    const work = begin(tokens, true);
    return {
      name,
      goal: { atLeast: 0.95, aim: 1 },
      own: enter(`${REPLICAS} replicas, Redis`, await start(REPLICAS, { redis }), work),
      reference: enter('one mcp-server, memory', await start(1), work),
      others: [
        enter('one mcp-server, Redis', await start(1, { redis }), work),
        enter(`${REPLICAS} mcp-servers, memory`, await start(REPLICAS), begin(tokens, false)),
      ],
    };
  };

const withTools =
  (count: number, fields: number): Make =>
  async (making) => {
    const { folder: tools } = making.started.use(manyTools(count, fields));
    const [few, many] = [await ours(making), await ours(making, { tools })];
    const work = session(making.parties);
    return {
      name: `tools/call, ${count} more tools of ${fields} fields`,
      goal: { atLeast: 0.95, aim: 0.98 },
      own: enter(`with ${count} more`, [many], work),
      reference: enter('mcp-server', [few], work),
      others: [],
    };
  };

const firstUse: Make = async (making) => {
  const { parties, started } = making;
  const work: Begin = async () => {
    const tokens = await parties.fresh(FRESH);
    return parties.tokens.map(() => () => {
      const token = tokens.pop();
      return token === undefined ? undefined : callStateless(token, ECHO)();
    });
  };
  const bare = started.use(await startRaw('verify', parties.issuer));
  return {
    name: 'first use of a token',
    goal: { atLeast: 0.85, aim: 1 },
    own: enter('mcp-server', [await ours(making)], work),
    reference: enter(bare.name, [bare], work),
    others: [],
  };
};

const list: Make = async (making) => {
  const { parties, started } = making;
  const { folder: tools } = started.use(manyTools(200, 5));
  const own = await ours(making, { tools });
  const begin =
    (tokens: readonly string[]): Begin =>
    async () =>
      (await openSessions(own.port, tokens)).map(({ id, token }) => listTools(token, id));
  const [ask] = await begin(parties.referring.slice(0, 1))([own.port]);
  const length = await lengthOf(own.port, ask?.() ?? '');
  const bare = started.use(await startRaw('list', '', length));
  return {
    name: `tools/list, a page of 200 tools (${Math.round(length / 1024)} KiB)`,
    goal: { atLeast: 0.5, aim: 0.7 },
    own: enter('mcp-server', [own], begin(parties.referring)),
    reference: enter(bare.name, [bare], begin(parties.referring), ''),
    others: [],
  };
};

const express = ({ parties }: Making) => startReference('v1', parties.issuer);
const sdk2 = ({ parties }: Making) => startReference('v2', parties.issuer);
const bare = () => startRaw();

export const ROWS: Readonly<Record<string, Make>> = {
  session: versus('tools/call 2025-11-25', { atLeast: 9, aim: 11 }, session, express),
  bare: versus('tools/call 2025-11-25', { atLeast: 0.6, aim: 0.75 }, session, bare),
  stateless: versus('tools/call 2026-07-28', { atLeast: 16, aim: 20 }, (p) => stateless(p.referring, ECHO), sdk2),
  'redis-session': shared('tools/call 2025-11-25, any replica', sessionsInTurn),
  'redis-stateless': shared('tools/call 2026-07-28, any replica', anyToken),
  stream: versus(
    'tools/call with progress',
    { atLeast: 0.5, aim: 0.7 },
    (p) => inSession(p.referring, COUNTDOWN),
    () => startRaw('stream'),
  ),
  first: firstUse,
  initialize: versus(
    'initialize',
    { atLeast: 8, aim: 10 },
    ({ referring }) =>
      async () =>
        referring.map((token) => () => initialize(token)),
    express,
  ),
  'tools-50': withTools(50, 25),
  'tools-200': withTools(200, 5),
  list,
};
