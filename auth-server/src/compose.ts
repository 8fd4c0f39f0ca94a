/** Owns the composition: from the environment to a service that can listen. The only file that knows every module. */
import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import { createExposition } from '@mcp-oauth/shared/metrics/exposition';
import { commonMetrics, type ReachedRedis } from '@mcp-oauth/shared/metrics/process';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { reasonOf } from '@mcp-oauth/shared/remote-document';
import type { Endpoint, Service } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import manifest from '../package.json' with { type: 'json' };
import { checkCopies } from './client-metadata/copies.ts';
import { createClientList } from './clients/client-list.ts';
import { type Config, readConfig } from './config.ts';
import {
  accountsOf,
  copyFolderOf,
  createEngineWith,
  preRegisteredOf,
  refuseUnusableClients,
  registrationOf,
} from './engine.ts';
import { createLogins } from './federation/login.ts';
import { discoverKinds, type OpenConnector, openConnectors } from './federation/registry.ts';
import { createApp } from './http/app.ts';
import { callbackRoutes } from './http/sign-in/callback.ts';
import { interactionRoutes } from './http/sign-in/interaction.ts';
import { createLoginCookie } from './http/sign-in/login-cookie.ts';
import type { CookieKeys } from './keys/key-store.ts';
import { openKeys } from './keys/open.ts';
import { keyPolicyOf } from './keys/settings.ts';
import type { SigningKeys } from './keys/signing-key.ts';
import { createMeters, type Meters } from './metrics.ts';
import { openStorage } from './storage/open.ts';
import { type CreateRateLimit, rateLimitsOn } from './storage/rate-limit.ts';
import { type RecordStore, StoreUnavailable } from './storage/record-store.ts';

const MINUTE = 60;
const HOUR = 3_600;

/** Replacements for tests. */
export interface Overrides {
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  readonly store?: RecordStore;
  readonly log?: Logger;
  readonly connectors?: readonly OpenConnector[];
}

/** @throws StartError for every configuration that cannot work */
export async function compose(env: Environment, overrides: Overrides = {}): Promise<Service> {
  const config = readConfig(env, await discoverKinds(new URL('./connectors/', import.meta.url)));
  const log = overrides.log ?? createLogger('auth-server', config.logLevel);
  const clock = overrides.clock ?? systemClock;
  if (config.httpsProxy) log.info({ proxy: config.httpsProxy.host }, 'https requests use a proxy');
  const fetch = overrides.fetch ?? createOutgoingFetch(config);
  const onTrouble = (connector: string, reason: string) =>
    log.warn({ connector, reason }, 'upstream metadata or keys could not be renewed');
  const connectors = overrides.connectors ?? openConnectors(config.signIn, config.issuer, fetch, { clock, onTrouble });
  const { store, redis, health, ...limits } = overrides.store
    ? { store: overrides.store, redis: undefined, health: undefined, createRateLimit: rateLimitsOn(undefined) }
    : await openStorage(config, { clock, log });
  const meters = config.metricsPort === undefined ? undefined : createMeters(config.issuer);
  const createRateLimit = meters?.limits(limits.createRateLimit) ?? limits.createRateLimit;
  let ready = true;
  const isReady = () => ready && health?.takesWrites !== false;
  const ports = { clock, log, store, createRateLimit, connectors, fetch, isReady, meters };
  const { handler, stop } = await createHandling(config, ports).catch(refuseUnusableStore);
  return {
    log,
    handler: meters?.timed(handler) ?? handler,
    listen: {
      host: config.host,
      port: config.port ?? (Number(new URL(config.issuer).port) || 9000),
      setting: config.port === undefined ? 'ISSUER' : 'PORT',
      maxHeaderSize: config.maxHeaderSize,
    },
    metrics: meters && exposition(config, { meters, redis, health, log }),
    url: config.issuer,
    shutdownTimeout: config.shutdownTimeout,
    shutdownLinger: config.shutdownLinger,
    drain: () => {
      ready = false;
    },
    close: async () => {
      await stop();
      await store.close();
    },
  };
}

/** Redis accepts the connection but denies our commands, or closed it at once: an operator error, not a caller's. */
function refuseUnusableStore(error: unknown): never {
  if (!(error instanceof StoreUnavailable)) throw error;
  throw new StartError(`REDIS_URL: ${reasonOf(error.cause)}`, { cause: error });
}

interface Measured extends ReachedRedis {
  readonly meters: Meters;
  readonly log: Logger;
}

function exposition({ host, metricsPort: port = 0 }: Config, { meters, log, ...reached }: Measured): Endpoint {
  const metrics = [...meters.all, ...commonMetrics(manifest.version, reached)];
  return { handler: createExposition(metrics, log), listen: { host, port, setting: 'METRICS_PORT' } };
}

interface Ports {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: RecordStore;
  readonly createRateLimit: CreateRateLimit;
  readonly connectors: readonly OpenConnector[];
  readonly fetch: typeof globalThis.fetch;
  readonly isReady: () => boolean;
  /** Absent: nothing is counted. */
  readonly meters: Meters | undefined;
}

interface Handling {
  readonly handler: RequestListener;
  /** Stops the background work. */
  stop(): Promise<void>;
}

/** The engine gets its keys when it is created, so a new key set means a new engine. Running requests finish on the old one. */
async function createHandling(config: Config, ports: Ports): Promise<Handling> {
  const { clock, log, store } = ports;
  await refuseUnusableClients(config);
  const copies = copyFolderOf(config);
  if (copies !== undefined) await checkCopies(copies, ports);
  await createClientList(store).renew();
  const keys = await openKeys({ store, policy: keyPolicyOf(config), clock, log });
  const handlerWith = createHandler(config, ports, keys.cookies);
  let handler = handlerWith(keys.signing);
  const stop = keys.follow((signing) => {
    handler = handlerWith(signing);
  });
  return { handler: (req, res) => handler(req, res), stop };
}

/** Creates what outlives every engine. */
function createHandler(config: Config, ports: Ports, cookieKeys: CookieKeys) {
  const { clock, log, store, createRateLimit, connectors, isReady, meters } = ports;
  const { issuer, trustedProxies, documentLifetime } = config;
  const accounts = accountsOf(config, store);
  const preRegistered = preRegisteredOf(config, ports);
  const engineWith = createEngineWith(config, { ...ports, accounts, preRegistered, counts: meters });
  const logins = createLogins(store, randomBytes);
  const loginCookie = createLoginCookie(cookieKeys, issuer.startsWith('https:'));
  const registration = { ...registrationOf(config, ports), ...registrationLimits(config, createRateLimit) };
  const limits = {
    ...authorizationLimits(config, createRateLimit),
    failure: createRateLimit({ name: 'failure', points: config.failureLimit, seconds: MINUTE }),
  };
  return (signing: SigningKeys): RequestListener => {
    const { app, guards, interactions, revision } = engineWith({ signing, cookies: cookieKeys });
    const [formKey, onSignIn] = [cookieKeys[0], meters?.onSignIn];
    const pages = { issuer, interactions, connectors, logins, accounts, loginCookie, formKey, onSignIn };
    const routes = [interactionRoutes(pages), callbackRoutes(pages), ...guards];
    return createApp({
      issuer,
      log,
      isReady,
      trustedProxies,
      clock,
      registration,
      limits,
      documentLifetime,
      revision,
      routes,
      engine: app,
    });
  };
}

/** Limits per address for requests that store records before anybody is authenticated. Each kind is counted separately. */
const authorizationLimits = ({ authorizationLimit: points }: Config, createRateLimit: CreateRateLimit) => ({
  authorization: createRateLimit({ name: 'authorize', points, seconds: MINUTE }),
  approval: createRateLimit({ name: 'approve', points, seconds: MINUTE }),
  revocation: createRateLimit({ name: 'revoke', points, seconds: MINUTE }),
});

const registrationLimits = (config: Config, createRateLimit: CreateRateLimit) => ({
  limit: createRateLimit({ name: 'register', points: config.registrationLimit, seconds: HOUR }),
  globalLimit: createRateLimit({ name: 'register-all', points: config.registrationLimitGlobal, seconds: HOUR }),
});
