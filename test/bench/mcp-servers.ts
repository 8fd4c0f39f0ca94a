/** Owns the servers of `npm run bench`: mcp-server as it is shipped, the servers of the SDKs, and bare node:http. */
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { ORIGIN } from './mcp-parties.ts';
import { type Program, type ProgramOptions, runProgram } from './program.ts';
import type { Listener } from './wire.ts';

export interface Contestant extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly program: Program;
}

export const listenerOf = ({ port, program }: Contestant): Listener => ({ port, pid: program.pid });

interface Start {
  readonly name: string;
  readonly script: string;
  readonly args?: (port: number) => readonly string[];
  readonly env?: (port: number, metricsPort: number) => NodeJS.ProcessEnv;
  readonly probed?: boolean;
  readonly silent?: boolean;
  readonly flags?: readonly string[];
  readonly root?: string;
  readonly core?: NonNullable<ProgramOptions['core']>;
}

async function start({ name, script, args = () => [], env = () => ({}), ...how }: Start): Promise<Contestant> {
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const program = await runProgram(script, { args: args(port), env: env(port, metricsPort), ...how });
  return { name, port, program, [Symbol.asyncDispose]: () => program.stop() };
}

export interface Choice {
  readonly probed?: boolean;
  /** A log with a line per request, as in production; the other servers keep no log. */
  readonly logs?: boolean;
  /** File of the audit; absent: there is none. */
  readonly audit?: string;
  /** Whether the status lists of tokens are read. */
  readonly statusLists?: boolean;
  /** Claims that each token must have, as in TOKEN_REQUIRED_CLAIMS. */
  readonly requiredClaims?: string;
  /** URL of the Redis with the sessions; absent: they are in memory. */
  readonly redis?: string;
  /** Folder with more tools. */
  readonly tools?: string;
  /** Arguments of Node before the program. */
  readonly flags?: readonly string[];
  /** The tree that it is in; absent: this one. */
  readonly root?: string;
  /** Absent: that of the server under load. */
  readonly core?: NonNullable<ProgramOptions['core']>;
  /** Settings besides those of every bench. */
  readonly env?: Readonly<Record<string, string>>;
}

/** With metrics, and with limits so high that the bench does not reach them. */
export const startProduct = (
  issuer: string,
  {
    probed = false,
    logs = false,
    audit,
    statusLists = true,
    requiredClaims,
    redis,
    tools,
    flags = [],
    root,
    core = 'server',
    env: more = {},
  }: Choice = {},
): Promise<Contestant> =>
  start({
    name: `mcp-server${logs ? ' with its log' : ''}`,
    script: 'mcp-server/src/main.ts',
    probed,
    flags,
    core,
    ...(root !== undefined && { root }),
    env: (port, metricsPort) => ({
      PUBLIC_URL: ORIGIN,
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      ISSUER: issuer,
      LOG_LEVEL: logs ? 'info' : 'warn',
      MAX_SESSIONS: '1000000',
      MAX_SESSIONS_PER_PRINCIPAL: '100000',
      ...(redis !== undefined && { REDIS_URL: redis }),
      ...(tools !== undefined && { TOOLS_DIR: tools, TOOLS_DIR_STRICT: 'true' }),
      ...(!statusLists && { STATUS_MAX_AGE: 'off' }),
      ...(requiredClaims !== undefined && { TOKEN_REQUIRED_CLAIMS: requiredClaims }),
      ...(audit !== undefined && {
        AUDIT: 'file',
        AUDIT_FILE: audit,
        AUDIT_KEY: Buffer.alloc(32, 7).toString('base64'),
      }),
      ...more,
    }),
  });

export const startReference = (
  era: 'v1' | 'v2',
  issuer: string,
  { probed = false }: Choice = {},
): Promise<Contestant> =>
  start({
    name: era === 'v1' ? 'express, SDK v1, jose' : 'node:http, SDK v2, jose',
    script: `test/bench/reference-${era}.ts`,
    probed,
    args: (port) => [String(port), issuer],
  });

/**
 * What bare node:http does with the body that it has read: `answer` writes as many bytes as a tool, `stream` the frames
 * of a tool that reports progress, `verify` checks the token with jose first, `list` writes this many bytes.
 */
const RAW = {
  answer: 'node:http',
  stream: 'node:http, same frames',
  verify: 'node:http, jose',
  list: 'node:http, same length',
} as const;

export const startRaw = (kind: keyof typeof RAW = 'answer', issuer = '', length = 0): Promise<Contestant> =>
  start({
    name: RAW[kind],
    script: 'test/bench/reference-raw.ts',
    args: (port) => [String(port), kind, issuer, String(length)],
  });

/** Another server, from a script that takes a port and the issuer and says when it listens. */
export const startPeer = (name: string, script: string, issuer: string): Promise<Contestant> =>
  start({ name, script, args: (port) => [String(port), issuer], silent: true });
