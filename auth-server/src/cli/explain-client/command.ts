/** Owns `explain-client`: why this server, with these settings, would refuse a client, before anybody tries. */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { type Command, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json } from '@mcp-oauth/shared/cli/list';
import { withInProcessServer } from '../../compose/in-process/server.ts';
import type { WithStore } from '../store.ts';
import type { Check } from './check.ts';
import { explainRegistration } from './registration.ts';
import { isAccepted, writeReport } from './report.ts';
import { type Pairs, type Request, requestOf } from './request.ts';
import type { Walk } from './verdict.ts';
import { explainRequest } from './walk.ts';

export interface ExplainClientOptions {
  /** Opens a store that keeps every change in this process. */
  readonly withStore: WithStore;
  /** Absent: standard input of the process. */
  readonly stdin?: () => Promise<string>;
}

export const explainClientCommand = ({
  withStore,
  stdin = () => text(process.stdin),
}: ExplainClientOptions): Command => ({
  name: 'explain-client',
  summary: 'Say why this server would refuse a client, and what to change. Nothing is stored.',
  details:
    'Sends the requests of the client to a server with the same settings inside this process. Name a client id (also the URL of a client metadata document, which is fetched as for a sign-in), a registration, or an authorization URL that the client has built. Ends with 0 if the client is accepted, 1 if it is refused.',
  rest: 'client_id',
  options: {
    registration: { type: 'string', value: 'file', doc: 'Registration (RFC 7591) as JSON; - is standard input.' },
    url: { type: 'string', value: 'url', doc: 'Authorization URL as the client has built it.' },
    'redirect-uri': { type: 'string', value: 'url', doc: 'Redirect URI. Not set: all that are registered.' },
    scope: { type: 'string', value: 'scopes', doc: 'Scopes that the client asks for, separated by spaces.' },
    resource: { type: 'string', value: 'url', doc: 'Resource (RFC 8707) that the client names.' },
    json,
  },
  run: async (invocation) => {
    const { env, options, stdout } = invocation;
    const asked = readRequest(invocation);
    const payload =
      typeof options.registration === 'string' ? await readPayload(options.registration, stdin) : undefined;
    return withStore(env, async ({ config, store, clock }) => {
      const checks = await withInProcessServer({ env, config, store, clock }, (server) =>
        explain({ server, config }, asked, payload),
      );
      const report = { issuer: config.issuer, checks };
      writeReport(report, stdout, options.json === true);
      return isAccepted(report) ? 0 : 1;
    });
  },
});

async function explain(walk: Walk, request: Request, payload: string | undefined): Promise<readonly Check[]> {
  if (payload === undefined) return explainRequest(walk, request);
  const { check, clientId } = await explainRegistration(walk, payload);
  if (clientId === undefined) return [check];
  return [check, ...(await explainRequest(walk, { ...request, clientId }))];
}

function readRequest({ rest, options }: Invocation): Request {
  const [clientId, extra] = rest;
  const named = ['redirect-uri', 'scope', 'resource'].filter((name) => options[name] !== undefined);
  const ways = [clientId, options.registration, options.url].filter((way) => way !== undefined);
  if (extra !== undefined || ways.length !== 1) {
    throw new UsageError('name one of: a client id, --registration, or --url');
  }
  if (typeof options.url !== 'string') return { clientId, pairs: pairsOf(options) };
  if (named.length > 0) throw new UsageError(`--url has all parameters, so it does not go with --${named[0]}`);
  const url = URL.parse(options.url);
  if (!url) throw new UsageError('--url must be the whole URL, in quotes');
  return requestOf(url);
}

const pairsOf = (options: Invocation['options']): Pairs =>
  (['redirect-uri', 'scope', 'resource'] as const).flatMap((name) => {
    const value = options[name];
    return typeof value === 'string' ? [[name.replace('-', '_'), value] as const] : [];
  });

async function readPayload(file: string, stdin: () => Promise<string>): Promise<string> {
  if (file === '-') return stdin();
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--registration: the file can't be read (${error.code})`);
  });
}
