/**
 * Owns the wiring of authorization: the issuers, the checks of tokens and proofs, and the required scopes.
 */
import { createTokenVerifier, type VerifyToken } from '../authorization/access-token.ts';
import { createNonces } from '../authorization/dpop/nonces.ts';
import { createProofVerifier, type VerifyProof } from '../authorization/dpop/proof.ts';
import { eitherKind } from '../authorization/introspection/opaque.ts';
import type { KeySource } from '../authorization/issuer/key-source.ts';
import { createScopePolicy, type ScopePolicy } from '../authorization/scope.ts';
import { withStatus } from '../authorization/status/check.ts';
import type { StatusLists } from '../authorization/status/status-lists.ts';
import { createTokenCache } from '../authorization/token-cache.ts';
import type { Config } from '../config.ts';
import type { LiveCatalog } from '../protocol/catalog/live-catalog.ts';
import { scopeOf } from '../upstream/settings.ts';
import { composeIntrospection } from './issuers/introspection.ts';
import { composeIssuer, prepareIssuer, type RunningIssuer } from './issuers/issuer.ts';
import { composeStatus } from './issuers/status.ts';
import type { ProcessDependencies } from './process.ts';
import type { ComposedStorage } from './storage.ts';

interface AuthorizationDependencies extends ProcessDependencies, Pick<ComposedStorage, 'keys' | 'replays'> {
  readonly catalog: LiveCatalog;
}

export interface Authorization {
  readonly scopes: ScopePolicy;
  readonly issuers: readonly RunningIssuer[];
  readonly verify: VerifyToken;
  readonly verifyProof: VerifyProof;
  readonly statusLists: StatusLists;
  /** Fetches the keys at start, so that a new replica does not refuse tokens. */
  readonly prepare: () => Promise<void>;
}

/** Fetches lazily: the service starts, and describes itself, without its issuer. */
export function composeAuthorization(config: Config, dependencies: AuthorizationDependencies): Authorization {
  const { clock, meters, keys, replays, catalog } = dependencies;
  const { baseScope: base, scopeHierarchy: hierarchy, clockTolerance } = config;
  const kept = new Set(config.upstreams.map(scopeOf));
  const issuers = config.issuers.map((one) => composeIssuer(one, config.jwksMaxAge, dependencies));
  const jwts = createTokenCache({
    verify: createTokenVerifier({ issuers, clock, setting: config.issuerSetting }),
    keys: { revision: revisionOf(issuers.map(({ keySource }) => keySource)) },
    clock,
  });
  const [opaque] = issuers.flatMap((issuer) =>
    issuer.introspection ? composeIntrospection(issuer, issuer.introspection, dependencies) : [],
  );
  const statusLists = composeStatus(config, issuers, dependencies);
  const ofIssuers = new Map(issuers.flatMap(({ rules }) => rules.map((one) => [one.issuer, one.variable] as const)));
  const verify = withStatus(opaque ? eitherKind(jwts, opaque) : jwts, {
    lists: statusLists,
    unavailable: config.statusUnavailable,
    variableOf: (issuer) => ofIssuers.get(issuer),
  });
  return {
    scopes: createScopePolicy({ base, hierarchy, scoped: () => catalog.current().scoped, kept }),
    issuers,
    statusLists,
    verify: meters?.verify(verify) ?? verify,
    verifyProof: createProofVerifier({
      nonces: createNonces(keys, clock),
      nonceRequired: config.dpopNonceRequired,
      replays,
      clock,
      clockTolerance,
    }),
    // Ready with the keys of one: an issuer that is away must not keep away those who come from another.
    prepare: () => Promise.race(issuers.map(prepareIssuer)),
  };
}

/** Changes when a key of any issuer was withdrawn or altered. With one issuer it is its own function. */
function revisionOf(sources: readonly KeySource[]): () => number {
  const [first, ...others] = sources;
  if (first && others.length === 0) return first.revision;
  return () => sources.reduce((total, source) => total + source.revision(), 0);
}
