/**
 * Owns the wiring of the service: from the environment to a service that can listen. It joins the results of the
 * other files of this folder.
 */
import { randomBytes } from 'node:crypto';
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { openAudit } from '@mcp-oauth/shared/audit/open';
import type { Clock } from '@mcp-oauth/shared/clock';
import { MCP_PATH } from '@mcp-oauth/shared/contract';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { Service } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import manifest from '../../package.json' with { type: 'json' };
import { Allowance } from '../allowance/allowance.ts';
import { readConfig } from '../config.ts';
import { allowanceLimitsOf } from '../limits.ts';
import type { Catalog } from '../protocol/catalog/catalog.ts';
import { fixedCatalog } from '../protocol/catalog/live-catalog.ts';
import { composeAuthorization } from './authorization.ts';
import { composeCatalog } from './catalog.ts';
import { composeHttp } from './http.ts';
import { readLists } from './issuers/status.ts';
import { composeMetrics } from './metrics.ts';
import { composeProcess } from './process.ts';
import { composeProtocol } from './protocol.ts';
import { composeStorage } from './storage.ts';
import { composeUpstreams, ownKeysOf } from './upstreams.ts';

/** Replacements for tests. */
export interface Overrides {
  readonly clock?: Clock;
  readonly fetch?: Fetch;
  readonly log?: Logger;
  readonly catalog?: Catalog;
}

/** @throws StartError for every configuration that can't work */
export async function compose(env: Environment, overrides: Overrides = {}): Promise<Service> {
  const config = readConfig(env);
  const base = composeProcess(config, overrides);
  const { log, meters } = base;
  const catalog = overrides.catalog ? fixedCatalog(overrides.catalog) : await composeCatalog(config, log);
  const storage = await composeStorage(config, base);
  const trail = await openAudit({
    ...base,
    settings: config,
    service: 'mcp-server',
    version: manifest.version,
    redis: storage.redis,
    newId: () => randomBytes(12).toString('base64url'),
    output: process.stdout,
  });
  const { sessions, keys, replays } = storage;
  const authorization = composeAuthorization(config, { ...base, catalog, keys, replays });
  const { scopes, statusLists } = authorization;
  const allowance = new Allowance({ limits: allowanceLimitsOf(config), onReached: meters?.onLimit });
  const eras = await composeProtocol(config, {
    ...{ ...base, catalog, scopes, sessions, keys, allowance },
    revocations: statusLists,
    upstreams: composeUpstreams(config, authorization.issuers, base),
  });
  catalog.onChange(eras.changes.announce);
  const resource = config.publicUrl + MCP_PATH;
  const audit: Audit | undefined = trail && ((entry) => trail.audit({ resource, ...entry }));
  const stopReading = readLists(statusLists, eras.endRevoked, { ...base, audit });
  let ready = true;
  const isReady = () => ready && storage.health?.takesWrites !== false;
  return {
    log,
    handler: composeHttp(config, {
      log,
      meters,
      catalog,
      authorization,
      endpoints: eras,
      allowance,
      isReady,
      audit: trail?.audit,
      ownKeys: ownKeysOf(config),
    }),
    listen: {
      host: config.host,
      port: config.port,
      setting: env.PORT ? 'PORT' : 'PUBLIC_URL',
      maxHeaderSize: config.maxHeaderSize,
    },
    metrics: await composeMetrics(config, { log, meters, eras, storage, authorization, trail }),
    url: config.publicUrl,
    shutdownTimeout: config.shutdownTimeout,
    shutdownLinger: config.shutdownLinger,
    prepare: authorization.prepare,
    drain: () => {
      ready = false;
      const { running, leaving } = eras.drain();
      log.info({ running, streamsTold: leaving }, 'draining');
    },
    finished: eras.finished,
    close: async () => {
      if (!ready) log.info({ cutOff: eras.running() }, 'drained');
      catalog.close();
      stopReading();
      await eras.close();
      await trail?.close();
      await storage.close();
    },
  };
}
