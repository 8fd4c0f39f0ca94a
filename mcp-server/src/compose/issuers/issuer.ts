/** Owns the wiring of one issuer: its metadata and its keys, when they are first read, and what is logged about them. */
import { type RemoteDocument, reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { createPlace } from '@mcp-oauth/shared/network/place';
import type { ConfiguredIssuer } from '../../authorization/issuer/configured.ts';
import { createIssuerMetadata, type IssuerMetadata } from '../../authorization/issuer/issuer-metadata.ts';
import { createKeySource, type KeySource } from '../../authorization/issuer/key-source.ts';
import { readKeysToken, withKeysToken } from '../../authorization/issuer/keys-token.ts';
import type { ProcessDependencies } from '../process.ts';

/** An issuer while the service runs. */
export interface RunningIssuer extends ConfiguredIssuer {
  /** Converts a public URL of the issuer to the one by which this server reaches it. */
  readonly inside: (url: string) => string;
  readonly keySource: KeySource;
  readonly metadata: RemoteDocument<IssuerMetadata>;
  /** When its keys were last read, in milliseconds since the epoch. */
  readonly keysReadAt: () => number | undefined;
  /** Whether it publishes no keys, because all its tokens are opaque. */
  readonly hasNoKeys: () => boolean;
}

/** Milliseconds to wait for an issuer that starts at the same time. Without keys, the documents can still be served. */
const ISSUER_STARTS = 20_000;

/** Reads the keys at start, if there are any. */
export async function prepareIssuer(issuer: RunningIssuer): Promise<void> {
  const { keySource, introspection, jwksUrl, metadata, hasNoKeys } = issuer;
  if (introspection && !jwksUrl) await metadata.get().catch(() => undefined);
  if (!hasNoKeys()) await keySource.prepare(ISSUER_STARTS);
}

/** @throws StartError if there is no token in its file */
function fetchOf({ keysToken }: ConfiguredIssuer, fetch: Fetch): Fetch {
  if (!keysToken) return fetch;
  readKeysToken(keysToken);
  return withKeysToken(fetch, keysToken);
}

/** The documents of an issuer. Failures are logged and counted; the recovery is logged. */
export function composeIssuer(
  configured: ConfiguredIssuer,
  maxAge: number,
  { fetch: plain, clock, log, meters }: ProcessDependencies,
): RunningIssuer {
  const fetch = fetchOf(configured, plain);
  const { id, url: issuer, metadataIssuer, internalUrl, jwksUrl, keySetting } = configured;
  const { inside } = createPlace(issuer, internalUrl);
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
    inside,
    setting: keySetting,
    fetch,
    clock,
    maxAge,
    ...report('keys'),
    onLeftOut: (members) => log.warn({ issuer, members }, 'members of the key set of the issuer are no keys'),
  });
  const hasNoKeys = () => {
    const found = configured.introspection && !jwksUrl ? metadata.peek() : undefined;
    return found !== undefined && !found.jwks_uri;
  };
  return { ...configured, metadata, inside, keysReadAt: keySource.loadedAt, hasNoKeys, keySource };
}
