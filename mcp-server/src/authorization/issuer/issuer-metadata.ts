/**
 * Owns the discovery of the authorization server's metadata from its issuer (RFC 8414 §3, OpenID Connect Discovery
 * §4).
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { AUTHORIZATION_SERVER_PATH, insertedUrl, OPENID_CONFIGURATION_PATH, urlPath } from '@mcp-oauth/shared/contract';
import {
  createRemoteDocument,
  fetchJson,
  NoAnswer,
  type OnFailure,
  type RemoteDocument,
} from '@mcp-oauth/shared/documents/remote-document';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { createPlace, withPublicEndpoints } from '@mcp-oauth/shared/network/place';
import { z } from 'zod';

/**
 * The URL of an endpoint. An invalid URL counts as absent, so that a member which is not needed here does not
 * invalidate the document. A URL with another scheme does invalidate it.
 */
const endpoint = z.preprocess(
  (value) => (typeof value === 'string' && URL.canParse(value) ? value : undefined),
  z.url({ protocol: /^https?$/ }).optional(),
);

const schema = z.looseObject({
  issuer: z.string(),
  jwks_uri: endpoint,
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  registration_endpoint: endpoint,
  introspection_endpoint: endpoint,
});

/** The issuer's metadata, with all members that it sent. */
export type IssuerMetadata = z.infer<typeof schema>;

/**
 * The URLs where the metadata of an issuer may be, in the order of the MCP specification: RFC 8414 with the path
 * inserted, OpenID with the path inserted, OpenID with the path appended.
 */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin } = new URL(issuer);
  return [
    ...new Set([
      insertedUrl(AUTHORIZATION_SERVER_PATH, issuer),
      insertedUrl(OPENID_CONFIGURATION_PATH, issuer),
      `${origin}${urlPath(issuer)}${OPENID_CONFIGURATION_PATH}`,
    ]),
  ];
}

export interface IssuerMetadataOptions {
  readonly issuer: string;
  /** How the document names the issuer, if it differs: with a placeholder for the tenant. */
  readonly metadataIssuer?: string | undefined;
  /** The URL by which this server reaches the issuer, if it differs from the public one. */
  readonly internalUrl?: string | undefined;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly onFailure: OnFailure;
  readonly onRecovery?: () => void;
}

export function createIssuerMetadata(options: IssuerMetadataOptions): RemoteDocument<IssuerMetadata> {
  const { clock, onFailure, onRecovery } = options;
  return createRemoteDocument({ load: () => findMetadata(options), clock, onFailure, onRecovery });
}

function read(body: unknown, url: string): IssuerMetadata {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  const flaws = error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new Error(`${url} answered no metadata: ${flaws.join(', ')}`);
}

async function findMetadata({
  issuer,
  metadataIssuer = issuer,
  internalUrl,
  fetch,
}: IssuerMetadataOptions): Promise<IssuerMetadata> {
  const place = createPlace(issuer, internalUrl);
  const problems: unknown[] = [];
  for (const url of metadataUrls(internalUrl ?? issuer)) {
    try {
      const metadata = read(await fetchJson(fetch, url), url);
      // RFC 8414 §3.3: a document that names another issuer must not be used.
      if (metadata.issuer !== metadataIssuer)
        throw new Error(`${url} names the issuer ${JSON.stringify(metadata.issuer)}`);
      return schema.parse(withPublicEndpoints(metadata, place));
    } catch (problem) {
      problems.push(problem);
      // All places are on one host. Whoever waits for the keys would wait once for each.
      if (problem instanceof NoAnswer) break;
    }
  }
  throw new AggregateError(problems, `no metadata of ${issuer} found`);
}
