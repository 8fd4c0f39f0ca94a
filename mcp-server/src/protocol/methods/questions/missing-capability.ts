/** Owns the error for an operation that needs a capability which the client has not declared. */
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { ToolError } from '../../define.ts';

/**
 * Authors may catch it as a ToolError and continue without the capability. Uncaught, it is a protocol error in
 * 2026-07-28 (-32021), and a failure of the tool in earlier revisions.
 */
export class MissingCapability extends ToolError {
  /** As the client has to declare them, such as `{ sampling: {} }`. */
  readonly required: ClientCapabilities;

  constructor(message: string, required: ClientCapabilities) {
    super(message);
    this.required = required;
  }
}
