/** Owns where an issuer is asked about tokens: by the settings, or by its metadata (RFC 8414 §2, RFC 9701 §7). */
import type { RemoteDocument } from '@mcp-oauth/shared/documents/remote-document';
import type { IssuerMetadata } from '../issuer/issuer-metadata.ts';

export interface IntrospectionEndpoint {
  readonly url: string;
  /** Which answers the issuer is asked for. */
  readonly answers: 'json' | 'either' | 'signed';
}

export interface EndpointOptions {
  /** Absent: the `introspection_endpoint` of the metadata. */
  readonly url: string | undefined;
  /** Whether only signed answers are accepted. */
  readonly signedOnly: boolean;
  readonly metadata: Pick<RemoteDocument<IssuerMetadata>, 'get'>;
  /** Converts a public URL of the issuer to the one by which this server reaches it. */
  readonly inside: (url: string) => string;
}

/** With a configured URL nothing depends on the metadata. @throws Error if the metadata has none, or was never read */
export async function endpointOf({
  url,
  signedOnly,
  metadata,
  inside,
}: EndpointOptions): Promise<IntrospectionEndpoint> {
  if (url !== undefined) return { url, answers: signedOnly ? 'signed' : 'json' };
  const { issuer, introspection_endpoint: found, ...others } = await metadata.get();
  if (!found) throw new Error(`the metadata of ${issuer} has no introspection_endpoint`);
  if (issuer.startsWith('https:') && !found.startsWith('https:')) {
    throw new Error(`the introspection_endpoint of ${issuer} is not https`);
  }
  const signs = Array.isArray(others.introspection_signing_alg_values_supported);
  return { url: inside(found), answers: signedOnly ? 'signed' : signs ? 'either' : 'json' };
}
