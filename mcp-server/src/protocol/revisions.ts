/** Owns which revisions of MCP this server speaks (MCP 2026-07-28 basic/versioning). */
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js';

/** The revision without sessions: each request says all that the server has to know. */
export const STATELESS_REVISION = '2026-07-28';

/** Those that open a session with `initialize`, newest first. */
export const SESSION_REVISIONS: readonly string[] = SUPPORTED_PROTOCOL_VERSIONS;

/** Newest first. */
export const REVISIONS: readonly string[] = [STATELESS_REVISION, ...SESSION_REVISIONS];

/** Whether a revision, known here or not, is of the kind without sessions. Revisions are dates: they compare as text. */
export const isStateless = (revision: string): boolean => revision >= STATELESS_REVISION;
