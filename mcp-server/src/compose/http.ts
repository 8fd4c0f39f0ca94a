/** Owns the wiring of HTTP: the lane for MCP, and Koa for the documents behind it. */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { BlockList } from 'node:net';
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { MCP_PATH } from '@mcp-oauth/shared/contract';
import { listenerOf } from '@mcp-oauth/shared/http/connections';
import { createClientAddress, FORGOTTEN_PROXY, forgottenProxy } from '@mcp-oauth/shared/http/request/client-address';
import type { Allowance } from '../allowance/allowance.ts';
import type { Config } from '../config.ts';
import { createApp } from '../http/app.ts';
import { underBasePath } from '../http/base-path.ts';
import { createLane } from '../http/mcp/lane.ts';
import type { LiveCatalog } from '../protocol/catalog/live-catalog.ts';
import type { Endpoints, ToolSummary } from '../protocol/endpoints.ts';
import type { Authorization } from './authorization.ts';
import type { ProcessDependencies } from './process.ts';

interface HttpDependencies extends Pick<ProcessDependencies, 'log' | 'meters'> {
  readonly catalog: LiveCatalog;
  readonly authorization: Authorization;
  readonly endpoints: Endpoints;
  readonly allowance: Allowance;
  readonly isReady: () => boolean;
  readonly audit: Audit | undefined;
  readonly ownKeys: object | undefined;
}

export function composeHttp(config: Config, dependencies: HttpDependencies): RequestListener {
  const { log, meters, catalog, authorization, endpoints, allowance, isReady, audit, ownKeys } = dependencies;
  const { scopes, issuers, verify, verifyProof, statusLists: lists } = authorization;
  const hides = config.unpermittedTools === 'hide';
  const open = new WeakMap<readonly ToolSummary[], readonly ToolSummary[]>();
  const tools = () => {
    const { summaries } = catalog.current();
    if (!hides) return summaries;
    if (!open.has(summaries))
      open.set(
        summaries,
        summaries.filter(({ scopes: needed }) => needed.length === 0),
      );
    return open.get(summaries) ?? [];
  };
  const statusLists = () => lists.states();
  const app = createApp({ settings: config, log, tools, scopes, issuers, statusLists, ownKeys, isReady });
  const { onRefused } = meters ?? {};
  const addressOf = addressesBy(config.trustedProxies, log);
  const rules = new Map(config.issuers.flatMap((one) => one.rules.map((each) => [each.issuer, each] as const)));
  const ofIssuers = {
    namesIssuer: rules.size > 1,
    variablesOf: (issuer: string) => rules.get(issuer)?.variable,
  };
  const lane = createLane(
    {
      settings: config,
      log,
      audit,
      resource: config.publicUrl + MCP_PATH,
      verify,
      verifyProof,
      isRevoked: lists.isRevoked,
      scopes,
      endpoints,
      allowance,
      onRefused,
      addressOf,
      ...ofIssuers,
    },
    listenerOf(app),
  );
  return underBasePath(config.publicUrl, meters?.timed(lane) ?? lane);
}

/** The address of a caller, for a limit. The first request by a proxy that is not trusted is logged. */
function addressesBy(trusted: BlockList, log: ProcessDependencies['log']): (req: IncomingMessage) => string {
  const addressOf = createClientAddress(trusted);
  let told = false;
  return (req) => {
    const proxy = told ? undefined : forgottenProxy(req, trusted);
    if (proxy !== undefined) {
      told = true;
      log.warn({ proxy }, FORGOTTEN_PROXY);
    }
    return addressOf(req);
  };
}
