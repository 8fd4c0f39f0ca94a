/**
 * Owns the wiring of authorization: the issuer and its keys, the checks of tokens and proofs, and the required
 * scopes.
 */
import { type RemoteDocument, reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { createPlace } from '@mcp-oauth/shared/network/place';
import { createTokenVerifier, type VerifyToken } from '../authorization/access-token.ts';
import { createNonces } from '../authorization/dpop/nonces.ts';
import { createProofVerifier, type VerifyProof } from '../authorization/dpop/proof.ts';
import type { ConfiguredIssuer } from '../authorization/issuer/configured.ts';
import { createIssuerMetadata, type IssuerMetadata } from '../authorization/issuer/issuer-metadata.ts';
import { createKeySource, type KeySource } from '../authorization/issuer/key-source.ts';
import { createScopePolicy, type ScopePolicy } from '../authorization/scope.ts';
import type { TokenRules } from '../authorization/token/rules.ts';
import { createTokenCache } from '../authorization/token-cache.ts';
import type { Config } from '../config.ts';
import type { LiveCatalog } from '../protocol/catalog/live-catalog.ts';
import type { ProcessDependencies } from './process.ts';
import type { ComposedStorage } from './storage.ts';

interface AuthorizationDependencies extends ProcessDependencies, Pick<ComposedStorage, 'keys' | 'replays'> {
  readonly catalog: LiveCatalog;
}

/** An issuer while the service runs. */
interface RunningIssuer {
  readonly id: string;
  readonly url: string;
  readonly announced: boolean;
  readonly internalUrl: string | undefined;
  readonly metadata: RemoteDocument<IssuerMetadata>;
  /** When its keys were last read, in milliseconds since the epoch. */
  readonly keysReadAt: () => number | undefined;
}

export interface Authorization {
  readonly scopes: ScopePolicy;
  readonly issuers: readonly RunningIssuer[];
  readonly verify: VerifyToken;
  readonly verifyProof: VerifyProof;
  /** Fetches the keys at start, so that a new replica does not refuse tokens. */
  readonly prepare: () => Promise<void>;
}

/** Milliseconds to wait for an issuer that starts at the same time. Without keys, the documents can still be served. */
const ISSUER_STARTS = 20_000;

/** Fetches lazily: the service starts, and describes itself, without its issuer. */
export function composeAuthorization(config: Config, dependencies: AuthorizationDependencies): Authorization {
  const { clock, meters, keys, replays, catalog } = dependencies;
  const { baseScope: base, scopeHierarchy: hierarchy, clockTolerance } = config;
  const issuers = config.issuers.map((one) => issuerOf(one, config.jwksMaxAge, dependencies));
  const verify = createTokenCache({
    verify: createTokenVerifier({ issuers, clock, setting: config.issuerSetting }),
    keys: { revision: revisionOf(issuers.map(({ keySource }) => keySource)) },
    clock,
  });
  return {
    scopes: createScopePolicy({ base, hierarchy, scoped: () => catalog.current().scoped }),
    issuers,
    verify: meters?.verify(verify) ?? verify,
    verifyProof: createProofVerifier({
      nonces: createNonces(keys, clock),
      nonceRequired: config.dpopNonceRequired,
      replays,
      clock,
      clockTolerance,
    }),
    // Ready with the keys of one: an issuer that is away must not keep away those who come from another.
    prepare: () => Promise.race(issuers.map(({ keySource }) => keySource.prepare(ISSUER_STARTS))),
  };
}

/** Changes when a key of any issuer was withdrawn or altered. With one issuer it is its own function. */
function revisionOf(sources: readonly KeySource[]): () => number {
  const [first, ...others] = sources;
  if (first && others.length === 0) return first.revision;
  return () => sources.reduce((total, source) => total + source.revision(), 0);
}

/** The documents of an issuer. Failures are logged and counted; the recovery is logged. */
function issuerOf(
  configured: ConfiguredIssuer,
  maxAge: number,
  { fetch, clock, log, meters }: ProcessDependencies,
): RunningIssuer & { readonly rules: readonly TokenRules[]; readonly keySource: KeySource } {
  const { id, url: issuer, metadataIssuer, internalUrl, jwksUrl, announced, rules, keySetting } = configured;
  const report = (document: 'keys' | 'metadata') => ({
    onFailure: (error: unknown, isNews: boolean) => {
      meters?.onFetchFailure(document, id);
      if (isNews) log.warn({ issuer, reason: reasonOf(error) }, `issuer ${document} not fetched`);
    },
    onRecovery: () => log.info({ issuer }, `issuer ${document} fetched again`),
  });
  const metadata = createIssuerMetadata({ issuer, metadataIssuer, internalUrl, fetch, clock, ...report('metadata') });
  const keySource = createKeySource({
    jwksUrl,
    metadata,
    inside: createPlace(issuer, internalUrl).inside,
    setting: keySetting,
    fetch,
    clock,
    maxAge,
    ...report('keys'),
    onLeftOut: (members) => log.warn({ issuer, members }, 'members of the key set of the issuer are no keys'),
  });
  return { id, url: issuer, announced, internalUrl, metadata, keysReadAt: keySource.loadedAt, rules, keySource };
}
