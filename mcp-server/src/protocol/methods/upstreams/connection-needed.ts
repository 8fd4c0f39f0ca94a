/** Owns the error for a person who has not connected an account that a tool needs, where nobody could be sent to the page for it. */
import { INSUFFICIENT_SCOPE, URL_ELICITATION_REQUIRED } from '@mcp-oauth/shared/json-rpc-codes';
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { RpcError } from '../../call.ts';
import { ToolError } from '../../define.ts';

/** A question that has the person open a page (MCP 2025-11-25 client/elicitation, "URL Mode"). */
export interface PageToOpen {
  readonly mode: 'url';
  readonly message: string;
  readonly url: string;
  /** Not in 2026-07-28. */
  readonly elicitationId: string;
}

/**
 * Authors may catch it as a ToolError and continue without the account. Uncaught, it is a challenge (HTTP 403) if nothing was written
 * before, so that a client without pages asks for the scope, whose consent page connects the account.
 */
export class ConnectionNeeded extends ToolError {
  /** Connects the account when it is approved. */
  readonly scope: string;
  readonly page: PageToOpen;

  constructor(message: string, scope: string, page: PageToOpen) {
    super(message);
    this.scope = scope;
    this.page = page;
  }
}

/** Whether the client declares that it shows pages to its user. */
export const canOpenPages = ({ elicitation }: ClientCapabilities): boolean => elicitation?.url !== undefined;

/** The same as the challenge, where an answer has begun. */
export const scopeNeeded = ({ message, scope }: ConnectionNeeded): RpcError =>
  new RpcError(INSUFFICIENT_SCOPE, message, { error: 'insufficient_scope', scope });

/** For a client that shows pages, but could not be asked while the call ran (MCP 2025-11-25 client/elicitation, "Error Handling"). */
export const pageNeeded = ({ message, page }: ConnectionNeeded): RpcError =>
  new RpcError(URL_ELICITATION_REQUIRED, message, { elicitations: [page] });
