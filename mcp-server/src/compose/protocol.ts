/**
 * Owns the wiring of MCP in every revision: the methods on top of the catalog, and the two eras on top of the
 * methods.
 */
import { setTimeout } from 'node:timers/promises';
import manifest from '../../package.json' with { type: 'json' };
import type { Allowance } from '../allowance/allowance.ts';
import type { ScopePolicy } from '../authorization/scope.ts';
import type { Revocations } from '../authorization/status/reference.ts';
import type { Config } from '../config.ts';
import { limitsOf, logLimitsOf } from '../limits.ts';
import type { LiveCatalog } from '../protocol/catalog/live-catalog.ts';
import { createEras, type Eras } from '../protocol/eras.ts';
import { createMethods } from '../protocol/methods/method-table.ts';
import { REVISIONS } from '../protocol/revisions.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { ProcessDependencies } from './process.ts';
import type { ComposedStorage } from './storage.ts';

interface ProtocolDependencies extends ProcessDependencies, Pick<ComposedStorage, 'sessions' | 'keys'> {
  readonly catalog: LiveCatalog;
  readonly scopes: ScopePolicy;
  readonly revocations: Revocations;
  readonly allowance: Allowance;
  readonly upstreams: Upstreams;
}

export async function composeProtocol(config: Config, dependencies: ProtocolDependencies): Promise<Eras> {
  const { catalog, scopes, sessions, keys, revocations, allowance, upstreams, clock, log, meters } = dependencies;
  const hides = config.unpermittedTools === 'hide';
  const serverInfo = { name: 'mcp-oauth-server', title: config.serverName, version: manifest.version };
  const startedAt = new Date(clock.now());
  const { store } = sessions;
  let isStopping = false;
  const methods = createMethods({
    catalog: catalog.current,
    covers: scopes.covers,
    hideUnpermitted: hides,
    changes: { announce: async (change) => (await eras).changes.announce(change) },
    status: async () => ({ ...serverInfo, startedAt, revisions: REVISIONS, openSessions: await store.count() }),
    upstreams,
    pause: (ms, signal) => setTimeout(ms, undefined, { signal }),
    isStopping: () => isStopping,
    clock,
    log,
    onToolCall: meters?.onToolCall,
  });
  const eras = createEras({
    methods: meters?.methods(methods) ?? methods,
    parameterHeaders: (tool) => catalog.current().tools.find(tool)?.headers ?? [],
    listScope: hides ? 'private' : 'public',
    serverInfo,
    instructions: config.serverInstructions,
    publicUrl: config.publicUrl,
    storage: sessions,
    keys,
    limits: { ...limitsOf(config), ...logLimitsOf(config) },
    allowance,
    revocations,
    clock,
    log,
  });
  const made = await eras;
  const drain = () => {
    isStopping = true;
    return made.drain();
  };
  return { ...made, drain };
}
