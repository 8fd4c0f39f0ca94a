/** Owns the path of a protected resource's metadata document (RFC 9728 §3.1), as a server without a path has it. */
import { PROTECTED_RESOURCE_PATH } from '@mcp-oauth/shared/contract';

/** The path of the document for the resource at `path`; the origin itself is the resource with the empty path. */
export const metadataPath = (path: string): string => `${PROTECTED_RESOURCE_PATH}${path}`;
