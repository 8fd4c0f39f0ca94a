/** Owns the list of supported revisions of MCP (MCP 2026-07-28 basic/versioning). */
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js';

/** The revision without sessions: each request carries everything that the server needs. */
export const STATELESS_REVISION = '2026-07-28';

/** The revisions that open a session with `initialize`, newest first. */
export const SESSION_REVISIONS: readonly string[] = SUPPORTED_PROTOCOL_VERSIONS;

/** Newest first. */
export const REVISIONS: readonly string[] = [STATELESS_REVISION, ...SESSION_REVISIONS];

/** Whether a revision, supported or not, has no sessions. Revisions are dates, so they compare as text. */
export const isStateless = (revision: string): boolean => revision >= STATELESS_REVISION;
