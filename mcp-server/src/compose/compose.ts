/** Owns the whole: from the environment to a service that can listen. The only file that knows every module. */

import type { RequestListener } from 'node:http';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import { createExposition } from '@mcp-oauth/shared/metrics/exposition';
import { commonMetrics } from '@mcp-oauth/shared/metrics/process';
import { createOutgoingFetch, type Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { createPlace } from '@mcp-oauth/shared/network/place';
import { type RemoteDocument, reasonOf } from '@mcp-oauth/shared/remote-document';
import type { Endpoint, Service } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import manifest from '../../package.json' with { type: 'json' };
import { Allowance } from '../allowance/allowance.ts';
import { createTokenVerifier, type VerifyToken } from '../authorization/access-token.ts';
import { createNonces } from '../authorization/dpop/nonces.ts';
import { createProofVerifier, type VerifyProof } from '../authorization/dpop/proof.ts';
import type { ReplayMemory } from '../authorization/dpop/replay-memory.ts';
import { createIssuerMetadata, type IssuerMetadata } from '../authorization/issuer-metadata.ts';
import { createKeySource } from '../authorization/key-source.ts';
import { createScopePolicy, type ScopePolicy } from '../authorization/scope.ts';
import { createTokenCache } from '../authorization/token-cache.ts';
import { type Config, readConfig } from '../config.ts';
import { createApp } from '../http/app.ts';
import { createLane } from '../http/mcp/lane.ts';
import { configuredKeys, type SealingKeys, sharedKeys } from '../keys/sealing-keys.ts';
import { allowanceLimitsOf, limitsOf, logLimitsOf } from '../limits.ts';
import { createMeters, type Meters, type Readings } from '../metrics.ts';
import { type Catalog, compileCatalog } from '../protocol/catalog/catalog.ts';
import { findBuiltIn } from '../protocol/catalog/files/load.ts';
import { fixedCatalog, type LiveCatalog, openCatalog } from '../protocol/catalog/live-catalog.ts';
import { createEras, type Eras } from '../protocol/eras.ts';
import { createMethods } from '../protocol/methods/methods.ts';
import { REVISIONS } from '../protocol/revisions.ts';
import { memoryKeyRecord } from '../storage/memory/key-record.ts';
import { memoryReplayMemory } from '../storage/memory/replay-memory.ts';
import { openStorage, type Storage } from '../storage/open.ts';
import { redisKeyRecord } from '../storage/redis/key-record.ts';
import { redisReplayMemory } from '../storage/redis/replay-memory.ts';

/** What tests put in place of the world. */
export interface Overrides {
  readonly clock?: Clock;
  readonly fetch?: Fetch;
  readonly log?: Logger;
  readonly catalog?: Catalog;
}

/** @throws StartError for every set-up that can't work */
export async function compose(env: Environment, overrides: Overrides = {}): Promise<Service> {
  const config = readConfig(env);
  const log = overrides.log ?? createLogger('mcp-server', config.logLevel);
  const meters = config.metricsPort === undefined ? undefined : createMeters();
  if (config.httpsProxy) log.info({ proxy: config.httpsProxy.host }, 'https goes out through a proxy');
  const world = {
    clock: overrides.clock ?? systemClock,
    fetch: overrides.fetch ?? createOutgoingFetch(config),
    log,
    meters,
  };
  const catalog = overrides.catalog ? fixedCatalog(overrides.catalog) : await loadCatalog(config, log);
  const { baseScope: base, scopeHierarchy: hierarchy } = config;
  const scopes = createScopePolicy({ base, hierarchy, scoped: () => catalog.current().scoped });
  const limits = { limits: limitsOf(config), logLimits: logLimitsOf(config) };
  const storage = await openStorage(config, { ...limits, clock: world.clock, log });
  const shared = sharedBy(config, storage, world.clock);
  const allowance = new Allowance({ limits: allowanceLimitsOf(config), onReached: meters?.onLimit });
  const endpoints = await protocol({ config, catalog, scopes, storage, shared, allowance, world });
  catalog.onChange(endpoints.changes.announce);
  const checks = authorization(config, { ...world, ...shared });
  let ready = true;
  const isReady = () => ready && storage.health?.takesWrites !== false;
  const readings = { load: endpoints.load, sessions: storage.sessions.store.count, keysReadAt: checks.keysReadAt };
  return {
    log,
    handler: listener({ config, catalog, scopes, endpoints, checks, allowance, isReady }, world),
    listen: {
      host: config.host,
      port: config.port,
      setting: env.PORT ? 'PORT' : 'PUBLIC_URL',
      maxHeaderSize: config.maxHeaderSize,
    },
    metrics: meters && exposition(config, { meters, readings, storage, log }),
    url: config.publicUrl,
    shutdownTimeout: config.shutdownTimeout,
    shutdownLinger: config.shutdownLinger,
    prepare: checks.prepare,
    drain: () => {
      ready = false;
      const { running, leaving } = endpoints.drain();
      log.info({ running, streamsTold: leaving }, 'draining');
    },
    finished: endpoints.finished,
    close: async () => {
      if (!ready) log.info({ cutOff: endpoints.running() }, 'drained');
      catalog.close();
      await endpoints.close();
      await storage.close();
    },
  };
}

interface Offer {
  readonly config: Config;
  readonly catalog: LiveCatalog;
  readonly scopes: ScopePolicy;
}

interface ProtocolParts extends Offer {
  readonly storage: Storage;
  readonly shared: Shared;
  readonly allowance: Allowance;
  readonly world: World;
}

/** MCP, of every revision. */
function protocol({ config, catalog, scopes, storage, shared, allowance, world }: ProtocolParts): Promise<Eras> {
  const { clock, log, meters } = world;
  const hides = config.unpermittedTools === 'hide';
  const serverInfo = { name: 'mcp-oauth-server', title: config.serverName, version: manifest.version };
  const startedAt = new Date(clock.now());
  const { store } = storage.sessions;
  const methods = createMethods({
    catalog: catalog.current,
    covers: scopes.covers,
    hideUnpermitted: hides,
    changes: { announce: async (change) => (await eras).changes.announce(change) },
    status: async () => ({ ...serverInfo, startedAt, revisions: REVISIONS, openSessions: await store.count() }),
    clock,
    log,
    onToolCall: meters?.onToolCall,
  });
  const eras = createEras({
    methods: meters?.methods(methods) ?? methods,
    parameterHeaders: (tool) => catalog.current().tools.find(tool)?.headers ?? [],
    listScope: hides ? 'private' : 'public',
    serverInfo,
    publicUrl: config.publicUrl,
    storage: storage.sessions,
    keys: shared.keys,
    limits: { ...limitsOf(config), ...logLimitsOf(config) },
    allowance,
    clock,
    log,
  });
  return eras;
}

interface HttpParts extends Offer {
  readonly endpoints: Eras;
  readonly checks: Authorization;
  readonly allowance: Allowance;
  readonly isReady: () => boolean;
}

/** HTTP: the lane for MCP, and Koa for the documents behind it. */
function listener(
  { config, catalog, scopes, endpoints, checks, allowance, isReady }: HttpParts,
  { log, meters }: World,
): RequestListener {
  const { issuerMetadata, verify, verifyProof } = checks;
  const hides = config.unpermittedTools === 'hide';
  const tools = () => catalog.current().summaries.filter(({ scopes: needed }) => !hides || needed.length === 0);
  const app = createApp({ settings: config, log, tools, scopes, issuerMetadata, isReady });
  const { onRefused } = meters ?? {};
  const lane = createLane(
    { settings: config, log, verify, verifyProof, scopes, endpoints, allowance, onRefused },
    app.callback(),
  );
  return meters?.timed(lane) ?? lane;
}

interface Measured {
  readonly meters: Meters;
  readonly readings: Readings;
  readonly storage: Storage;
  readonly log: Logger;
}

function exposition({ host, metricsPort: port = 0 }: Config, { meters, readings, storage, log }: Measured): Endpoint {
  const metrics = [...meters.all(readings), ...commonMetrics(manifest.version, storage)];
  return { handler: createExposition(metrics, log), listen: { host, port, setting: 'METRICS_PORT' } };
}

/** Outside production the mounted files are an author's, who wants to see what an edit does. */
async function loadCatalog(config: Config, log: Logger): Promise<LiveCatalog> {
  const { builtInTools, toolsDir, toolsDirStrict: strict, environment } = config;
  const builtIn = builtInTools ? await findBuiltIn(new URL('../', import.meta.url)) : [];
  if (toolsDir === undefined) return fixedCatalog(compileCatalog(builtIn).catalog);
  const folder = pathToFileURL(join(resolve(toolsDir), '/'));
  return openCatalog(builtIn, { folder, strict, watch: environment !== 'production' }, log);
}

/** What every replica has to know of the others. */
interface Shared {
  readonly keys: SealingKeys;
  readonly replays: ReplayMemory;
}

const sharedBy = ({ sealingKeys }: Config, { redis }: Storage, clock: Clock): Shared => ({
  keys: sealingKeys
    ? configuredKeys(sealingKeys)
    : sharedKeys(redis ? redisKeyRecord(redis) : memoryKeyRecord(), clock),
  replays: redis ? redisReplayMemory(redis) : memoryReplayMemory(clock),
});

interface World {
  readonly clock: Clock;
  readonly fetch: Fetch;
  readonly log: Logger;
  /** Absent: nothing is counted. */
  readonly meters: Meters | undefined;
}

interface Authorization {
  readonly issuerMetadata: RemoteDocument<IssuerMetadata>;
  readonly verify: VerifyToken;
  readonly verifyProof: VerifyProof;
  readonly keysReadAt: () => number | undefined;
  /** Has the keys fetched, so that a replica that is new doesn't refuse tokens for want of them. */
  readonly prepare: () => Promise<void>;
}

/** Milliseconds: whoever starts together with the issuer waits for it; without one there are still documents to serve. */
const ISSUER_STARTS = 20_000;

/** Nothing is fetched before it is needed, so the service starts, and describes itself, without its issuer. */
function authorization(config: Config, { clock, fetch, log, meters, keys, replays }: World & Shared): Authorization {
  const { issuer, issuerInternalUrl: internalUrl, jwksUrl, jwksMaxAge, audiences, clockTolerance } = config;
  const report = (document: 'keys' | 'metadata') => ({
    onFailure: (error: unknown, isNews: boolean) => {
      meters?.onFetchFailure(document);
      if (isNews) log.warn({ issuer, reason: reasonOf(error) }, `issuer ${document} not fetched`);
    },
    onRecovery: () => log.info({ issuer }, `issuer ${document} fetched again`),
  });
  const source = { fetch, clock };
  const issuerMetadata = createIssuerMetadata({ issuer, internalUrl, ...source, ...report('metadata') });
  const keySource = createKeySource({
    jwksUrl,
    metadata: issuerMetadata,
    inside: createPlace(issuer, internalUrl).inside,
    ...source,
    maxAge: jwksMaxAge,
    ...report('keys'),
    onLeftOut: (members) => log.warn({ issuer, members }, 'members of the key set of the issuer are no keys'),
  });
  const verify = createTokenVerifier({
    issuer,
    audiences,
    keySource,
    clock,
    algorithms: config.tokenAlgorithms,
    types: config.tokenTypes,
    clockTolerance,
  });
  const verifyProof = createProofVerifier({
    nonces: createNonces(keys, clock),
    nonceRequired: config.dpopNonceRequired,
    replays,
    clock,
    clockTolerance,
  });
  const cached = createTokenCache({ verify, keys: keySource, clock });
  return {
    issuerMetadata,
    verify: meters?.verify(cached) ?? cached,
    verifyProof,
    keysReadAt: keySource.loadedAt,
    prepare: () => keySource.prepare(ISSUER_STARTS),
  };
}
