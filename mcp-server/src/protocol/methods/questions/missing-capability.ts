/** Owns the way out for what can't be done because the client has not declared that it can do its part of it. */
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { ToolError } from '../../define.ts';

/**
 * An author may catch it, as any ToolError, and do without. Uncaught it is an error of the protocol in 2026-07-28 (-32021), and
 * the failure of the tool in the revisions before.
 */
export class MissingCapability extends ToolError {
  /** As the client would have to declare them, such as `{ sampling: {} }`. */
  readonly required: ClientCapabilities;

  constructor(message: string, required: ClientCapabilities) {
    super(message);
    this.required = required;
  }
}
