/** Owns the upstream of tests that gives tokens to tools: it sends the person away and accepts every callback. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLinks, type LinkPurpose } from '../../src/connecting/links.ts';
import { UpstreamError } from '../../src/federation/connector.ts';
import type { OpenTools } from '../../src/federation/registry.ts';
import { localSubject } from '../../src/federation/subject.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import type { Browser } from './browser.ts';
import { type ExchangeOptions, startExchange } from './exchange.ts';
import { tokenIn } from './page-visitor.ts';
import { ISSUER, MCP, type RunningServer } from './running-server.ts';

export interface ToolsUpstream {
  readonly tools: OpenTools;
  /** What it was asked for at each departure. */
  readonly asked: (readonly string[])[];
  /** The codes that were redeemed. */
  readonly redeemed: string[];
  /** The access tokens that were revoked. */
  readonly revoked: (string | undefined)[];
  /** The access tokens that it does not accept any more. */
  readonly ended: Set<string>;
  isDown: boolean;
  /** Runs while a code is being redeemed. */
  meanwhile?: (() => Promise<unknown>) | undefined;
}

/** The `code` of the callback is the subject of the account there; with `part` it gives the first scope only. */
export function toolsUpstream(more: Partial<OpenTools> = {}, accountIssuer = 'https://github.example'): ToolsUpstream {
  const upstream: ToolsUpstream = { asked: [], redeemed: [], revoked: [], ended: new Set(), isDown: false } as never;
  const { asked, redeemed, revoked } = upstream;
  const ifUp = () => {
    if (upstream.isDown) throw new UpstreamError('unavailable', 'no answer');
  };
  const id = more.id ?? 'github';
  const tools: OpenTools = {
    id,
    title: 'GitHub',
    scopes: ['read:user', 'repo'],
    callbackUrl: `${ISSUER}/callback/${id}`,
    access: {
      begin: async ({ state }, { scopes }) => {
        ifUp();
        asked.push(scopes);
        return new URL(`https://${id}.example/authorize?state=${state}`);
      },
      finish: async ({ searchParams }, _checks, requested) => {
        const code = searchParams.get('code') ?? '';
        if (searchParams.has('error')) throw new UpstreamError('denied', 'the upstream answered access_denied');
        ifUp();
        redeemed.push(code);
        await upstream.meanwhile?.();
        return {
          session: { accessToken: `token-of-${code}` },
          scopes: code === 'part' ? requested.slice(0, 1) : requested,
          identity: { issuer: accountIssuer, subject: code, username: `${code}-there` },
        };
      },
      refresh: async ({ session, scopes }) => ({ session, scopes }),
      isAccepted: async ({ accessToken = '' }) => !upstream.ended.has(accessToken),
      revoke: async ({ accessToken }) => void revoked.push(accessToken),
    },
    ...more,
  };
  return Object.assign(upstream, { tools });
}

/** The local subject of a person of the connector `acme`. */
export const subjectOf = (person: string): string => localSubject({ issuer: 'https://acme.example', subject: person });

export interface ToolsServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly upstream: ToolsUpstream;
  readonly store: RecordStore;
  /** The path of a new link. */
  link(purpose?: Partial<LinkPurpose>): Promise<string>;
}

/** Connectors with these ids, which the test replaces by its own. */
const environmentOf = (ids: readonly string[]) => ({
  CONNECTORS: ['development', ...ids].join(','),
  STORAGE_KEYS: randomBytes(32).toString('base64'),
  ...Object.assign({}, ...ids.map((id) => settingsOf(`CONNECTOR_${id.toUpperCase()}_`))),
});

const settingsOf = (prefix: string) => ({
  [`${prefix}TYPE`]: 'github',
  [`${prefix}USE`]: 'tools',
  [`${prefix}CLIENT_ID`]: 'id',
  [`${prefix}CLIENT_SECRET`]: 'a-secret-of-the-test',
});

/** A server whose tools may use accounts of people at one upstream. */
export async function startWithTools(
  options: ExchangeOptions = {},
  upstream: ToolsUpstream = toolsUpstream(),
  others: readonly OpenTools[] = [],
): Promise<ToolsServer> {
  const store = options.store ?? createSqliteStore(':memory:', options.clock ?? systemClock);
  const tools = [upstream.tools, ...others];
  const ids = tools.map(({ id }) => id);
  const policy = { clients: [{ client: 'mcp-server', resource: MCP, connectors: ids }] };
  const server = await startExchange({
    policy,
    ...options,
    store,
    tools,
    env: { ...environmentOf(ids), ...options.env },
  });
  const links = createLinks({ issuer: server.issuer, store, random: randomBytes });
  return {
    server,
    upstream,
    store,
    link: async (purpose = {}) => {
      const usual = { accountId: subjectOf('alice'), clientId: 'notes', connector: upstream.tools.id };
      return (await links.create({ ...usual, scopes: upstream.tools.scopes, ...purpose })).uri;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Sends the form of the page of a link. @returns the page, or the URL of the upstream */
export async function decide(browser: Browser, link: string, page: Response | undefined, decision = 'connect') {
  const token = tokenIn((await page?.clone().text()) ?? '');
  return browser.follow(link, { method: 'POST', body: new URLSearchParams({ token, decision }) });
}

/** The way back from the upstream. */
export function comeBackFrom(browser: Browser, outside: URL | undefined, answer: Readonly<Record<string, string>>) {
  const state = outside?.searchParams.get('state') ?? '';
  const connector = outside?.hostname.split('.')[0];
  return browser.follow(`/callback/${connector}?${new URLSearchParams({ state, ...answer })}`);
}
