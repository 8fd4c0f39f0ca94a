/** Owns where the metadata document of a protected resource is (RFC 9728 §3.1): the lane names it, the documents serve it. */
import { PROTECTED_RESOURCE_PATH } from '@mcp-oauth/shared/contract';

/** Where the document of the resource at `path` is; the origin itself is the resource at the empty path. */
export const metadataPath = (path: string): string => `${PROTECTED_RESOURCE_PATH}${path}`;
