/**
 * Owns the wiring of authorization: the issuer and its keys, the checks of tokens and proofs, and the required
 * scopes.
 */
import { type RemoteDocument, reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { createPlace } from '@mcp-oauth/shared/network/place';
import { createTokenVerifier, type VerifyToken } from '../authorization/access-token.ts';
import { createNonces } from '../authorization/dpop/nonces.ts';
import { createProofVerifier, type VerifyProof } from '../authorization/dpop/proof.ts';
import { createIssuerMetadata, type IssuerMetadata } from '../authorization/issuer/issuer-metadata.ts';
import { createKeySource } from '../authorization/issuer/key-source.ts';
import { createScopePolicy, type ScopePolicy } from '../authorization/scope.ts';
import { createTokenCache } from '../authorization/token-cache.ts';
import type { Config } from '../config.ts';
import type { LiveCatalog } from '../protocol/catalog/live-catalog.ts';
import type { ProcessDependencies } from './process.ts';
import type { ComposedStorage } from './storage.ts';

interface AuthorizationDependencies extends ProcessDependencies, Pick<ComposedStorage, 'keys' | 'replays'> {
  readonly catalog: LiveCatalog;
}

export interface Authorization {
  readonly scopes: ScopePolicy;
  readonly issuerMetadata: RemoteDocument<IssuerMetadata>;
  readonly verify: VerifyToken;
  readonly verifyProof: VerifyProof;
  readonly keysReadAt: () => number | undefined;
  /** Fetches the keys at start, so that a new replica does not refuse tokens. */
  readonly prepare: () => Promise<void>;
}

/** Milliseconds to wait for an issuer that starts at the same time. Without keys, the documents can still be served. */
const ISSUER_STARTS = 20_000;

/** Fetches lazily: the service starts, and describes itself, without its issuer. */
export function composeAuthorization(config: Config, dependencies: AuthorizationDependencies): Authorization {
  const { clock, meters, keys, replays, catalog } = dependencies;
  const { baseScope: base, scopeHierarchy: hierarchy, clockTolerance } = config;
  const { issuerMetadata, keySource } = issuerOf(config, dependencies);
  const verify = createTokenCache({
    verify: createTokenVerifier({
      issuer: config.issuer,
      audiences: config.audiences,
      keySource,
      clock,
      algorithms: config.tokenAlgorithms,
      types: config.tokenTypes,
      clockTolerance,
    }),
    keys: keySource,
    clock,
  });
  return {
    scopes: createScopePolicy({ base, hierarchy, scoped: () => catalog.current().scoped }),
    issuerMetadata,
    verify: meters?.verify(verify) ?? verify,
    verifyProof: createProofVerifier({
      nonces: createNonces(keys, clock),
      nonceRequired: config.dpopNonceRequired,
      replays,
      clock,
      clockTolerance,
    }),
    keysReadAt: keySource.loadedAt,
    prepare: () => keySource.prepare(ISSUER_STARTS),
  };
}

/** A document of the issuer. Failures are logged and counted; the recovery is logged. */
function issuerOf(
  { issuer, issuerInternalUrl: internalUrl, jwksUrl, jwksMaxAge: maxAge }: Config,
  { fetch, clock, log, meters }: ProcessDependencies,
) {
  const report = (document: 'keys' | 'metadata') => ({
    onFailure: (error: unknown, isNews: boolean) => {
      meters?.onFetchFailure(document);
      if (isNews) log.warn({ issuer, reason: reasonOf(error) }, `issuer ${document} not fetched`);
    },
    onRecovery: () => log.info({ issuer }, `issuer ${document} fetched again`),
  });
  const issuerMetadata = createIssuerMetadata({ issuer, internalUrl, fetch, clock, ...report('metadata') });
  const keySource = createKeySource({
    jwksUrl,
    metadata: issuerMetadata,
    inside: createPlace(issuer, internalUrl).inside,
    fetch,
    clock,
    maxAge,
    ...report('keys'),
    onLeftOut: (members) => log.warn({ issuer, members }, 'members of the key set of the issuer are no keys'),
  });
  return { issuerMetadata, keySource };
}
