/**
 * Owns how tools, resources and prompts are written. Their authors never see a transport or a protocol revision: they get
 * checked arguments and a context, and give back what the client should have.
 */
import type {
  ContentBlock, CreateMessageRequestParamsBase, CreateMessageRequestParamsWithTools, CreateMessageResult,
  CreateMessageResultWithTools, PromptMessage, Root,
} from '@modelcontextprotocol/sdk/types.js'; // biome-ignore format: one list
import type { z } from 'zod';
import type { Principal } from '../authorization/principal.ts';
import type { Change } from './changes/changes.ts';

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
  /** MCP revisions that a client can use, newest first. */
  readonly revisions: readonly string[];
  /** On all replicas. */
  readonly openSessions: number;
}

/** What a tool, a resource or a prompt can do while it runs. */
export interface Context {
  readonly principal: Principal;
  readonly now: () => Date;
  readonly server: () => Promise<ServerStatus>;
  /** Aborted when the client cancels the call or the session ends. */
  readonly signal: AbortSignal;
  /** Reports progress; does nothing when the client did not ask for it. */
  progress(progress: number, total?: number, message?: string): Promise<void>;
  /** Sends a log message to the client, subject to the level that it set. */
  log(level: LogLevel, data: unknown): Promise<void>;
  /**
   * Asks the person in front of the client. In MCP 2026-07-28 a question ends the request, and the client comes again with
   * the answer: what runs is then run from its start, and everything asked before is answered at once with what was said.
   * So ask in an order that depends only on the arguments and the answers, and before anything that must not happen twice.
   * @param key names the question; a client that knows the name may bring the answer with its first request (2026-07-28)
   * @throws ToolError when the client can't ask
   */
  elicit<S extends z.ZodObject>(message: string, schema: S, key?: string): Promise<Elicited<z.infer<S>>>;
  /**
   * Has the model of the client write something; as for `elicit`, what runs may be run again.
   * @throws ToolError when the client has no model for us
   */
  sample(request: CreateMessageRequestParamsWithTools, key?: string): Promise<CreateMessageResultWithTools>;
  sample(request: CreateMessageRequestParamsBase, key?: string): Promise<CreateMessageResult>;
  /**
   * The folders that the client works on; as for `elicit`, what runs may be run again.
   * @throws ToolError when the client does not tell
   */
  roots(key?: string): Promise<readonly Root[]>;
  /** Tells every client that wants to know, on every replica, that what this server offers has changed. */
  announce(change: Change): Promise<void>;
  /** Lets go of the connection before a long wait; the client comes back for the answer, where its revision can (SSE polling). */
  releaseConnection(): Promise<void>;
}

/** What a tool gives back: text, content of any other kind, structured data, or several of them. */
export interface ToolResult<O = unknown> {
  readonly text?: string;
  /** Follows the text. */
  readonly content?: readonly ContentBlock[];
  /** Must match the tool's `output` schema; without a text, it is the text too. */
  readonly structured?: O;
  /** The same, in the word of the SDK. */
  readonly structuredContent?: O;
  /** Whether this tells of a failure, as a `ToolError` does. */
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** One scope, or several that are all needed, on top of the base scope. */
export type Scopes = string | readonly string[];

/** A JSON Schema of the dialect 2020-12, or of draft-07 where `$schema` says so; offered to clients as it stands. */
export interface JsonSchema {
  readonly type: 'object';
  readonly [keyword: string]: unknown;
}

export interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  /** `^[A-Za-z0-9_.-]{1,128}$` */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly scope?: Scopes;
  /** `.meta({ 'x-mcp-header': 'Name' })` on a member has clients repeat it in the header `Mcp-Param-Name` (2026-07-28). */
  readonly input: I;
  readonly output?: O;
  readonly annotations?: {
    readonly readOnlyHint?: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  };
  run(input: z.infer<I>, context: Context): Promise<ToolResult<z.input<O>>> | ToolResult<z.input<O>>;
}

/** A tool whose arguments are described by JSON Schema instead of zod, such as one that stands before another system. */
export interface JsonSchemaTool extends Omit<Tool, 'input' | 'output' | 'run'> {
  readonly inputSchema: JsonSchema;
  readonly outputSchema?: JsonSchema;
  run(
    input: Record<string, unknown>,
    context: Context,
  ): Promise<ToolResult<Record<string, unknown>>> | ToolResult<Record<string, unknown>>;
}

/** Declares a tool; the default export of a `*.tool.ts` file. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: Tool<I, O>): Tool<I, O>;
export function defineTool(tool: JsonSchemaTool): JsonSchemaTool;
export function defineTool<T>(tool: T): T {
  return tool;
}

/** Values that could stand at the end of what somebody has typed so far; `given` are the other arguments (MCP completion). */
export type Complete = (
  typed: string,
  given: Readonly<Record<string, string>>,
  principal: Principal,
) => readonly string[] | Promise<readonly string[]>;

export interface ResourceContent {
  readonly mimeType?: string;
  readonly text?: string;
  /** Goes out as base64. */
  readonly bytes?: Uint8Array;
}

interface Described {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly scope?: Scopes;
}

/** One resource at a fixed URI. */
export interface Resource extends Described {
  readonly uri: string;
  readonly mimeType?: string;
  /** A resource that changes is announced with `context.announce({ kind: 'resource', uri })`. */
  read(context: Context): Promise<ResourceContent> | ResourceContent;
}

/** Many resources of one shape: a URI template (RFC 6570, level 1: `{name}`). */
export interface ResourceTemplate extends Described {
  readonly uriTemplate: string;
  readonly mimeType?: string;
  /** By the variable of the template. */
  readonly complete?: Readonly<Record<string, Complete>>;
  /** @returns nothing when there is no such resource */
  read(
    variables: Readonly<Record<string, string>>,
    context: Context,
  ): Promise<ResourceContent | undefined> | ResourceContent | undefined;
}

/** Declares a resource or a template of them; the default export of a `*.resource.ts` file. */
export function defineResource(resource: Resource): Resource;
export function defineResource(template: ResourceTemplate): ResourceTemplate;
export function defineResource<R>(resource: R): R {
  return resource;
}

/** A template for messages that a person picks. */
export interface Prompt<A extends z.ZodObject = z.ZodObject> extends Described {
  /** Strings, required or optional; `.describe()` is what the person reads. */
  readonly arguments?: A;
  /** By the name of the argument. */
  readonly complete?: Readonly<Record<string, Complete>>;
  render(given: z.infer<A>, context: Context): Promise<readonly PromptMessage[]> | readonly PromptMessage[];
}

/** Declares a prompt; the default export of a `*.prompt.ts` file. */
export const definePrompt = <A extends z.ZodObject>(prompt: Prompt<A>): Prompt<A> => prompt;

/** A tool's own failure: becomes a result with `isError` and this message, which is written for the model. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}
