/** Owns the paths of a protected resource's documents, as a server without a path has them: its metadata (RFC 9728 §3.1) and its keys. */
import { PROTECTED_RESOURCE_PATH } from '@mcp-oauth/shared/contract';

/** The path of the document for the resource at `path`; the origin itself is the resource with the empty path. */
export const metadataPath = (path: string): string => `${PROTECTED_RESOURCE_PATH}${path}`;

/** The public keys of this server: `jwks_uri` of the metadata (RFC 9728 §2). */
export const OWN_KEYS_PATH = '/.well-known/jwks.json';
