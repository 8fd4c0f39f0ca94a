/**
 * Owns how a tool is written. A tool never sees a transport or a protocol revision: it gets checked arguments and a
 * context, and gives back text, structured data, or both.
 */
import type { z } from 'zod';
import type { Principal } from '../authorization/principal.ts';

export type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';

/** What an elicitation brought back (MCP elicitation: accept, decline, cancel). */
export type Elicited<T> =
  | { readonly action: 'accept'; readonly content: T }
  | { readonly action: 'decline' | 'cancel' };

/** What a tool may know about the server that it runs in. */
export interface ServerStatus {
  readonly name: string;
  readonly version: string;
  readonly startedAt: Date;
  /** MCP revisions that a session can be held in, newest first. */
  readonly revisions: readonly string[];
  readonly openSessions: number;
}

export interface ToolContext {
  readonly principal: Principal;
  readonly now: () => Date;
  readonly server: () => ServerStatus;
  /** Aborted when the client cancels the call or the session ends. */
  readonly signal: AbortSignal;
  /** Reports progress; does nothing when the client did not ask for it. */
  progress(progress: number, total?: number, message?: string): Promise<void>;
  /** Sends a log message to the client, subject to the level that it set. */
  log(level: LogLevel, data: unknown): Promise<void>;
  /**
   * Asks the person in front of the client.
   * @throws ToolError when the client can't ask
   */
  elicit<S extends z.ZodObject>(message: string, schema: S): Promise<Elicited<z.infer<S>>>;
}

export interface ToolResult<O = unknown> {
  readonly text: string;
  /** Must match the tool's `output` schema. */
  readonly structured?: O;
}

export interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  /** `^[A-Za-z0-9_.-]{1,128}$` */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Needed on top of the base scope. */
  readonly scope?: string;
  readonly input: I;
  readonly output?: O;
  readonly annotations?: {
    readonly readOnlyHint?: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  };
  run(input: z.infer<I>, context: ToolContext): Promise<ToolResult<z.input<O>>> | ToolResult<z.input<O>>;
}

/** Declares a tool; the default export of a `*.tool.ts` file. */
export const defineTool = <I extends z.ZodObject, O extends z.ZodObject>(tool: Tool<I, O>): Tool<I, O> => tool;

/** A tool's own failure: becomes a result with `isError` and this message, which is written for the model. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}
