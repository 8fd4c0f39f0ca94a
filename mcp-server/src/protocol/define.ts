/**
 * Owns the interface for authors of tools, resources and prompts. Authors never see a transport or a protocol
 * revision: they get checked arguments and a context, and return the content for the client.
 */
import type {
  ContentBlock, CreateMessageRequestParamsBase, CreateMessageRequestParamsWithTools, CreateMessageResult,
  CreateMessageResultWithTools, PromptMessage, Root,
} from '@modelcontextprotocol/sdk/types.js'; // biome-ignore format: one list
import type { z } from 'zod';
import type { Principal } from '../authorization/principal.ts';
import type { Change } from './changes/changes.ts';

export type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';

/** The result of an elicitation (MCP elicitation: accept, decline, cancel). */
export type Elicited<T> =
  | { readonly action: 'accept'; readonly content: T }
  | { readonly action: 'decline' | 'cancel' };

/** Information about the server for tools and resources. */
export interface ServerStatus {
  readonly name: string;
  readonly version: string;
  readonly startedAt: Date;
  /** MCP revisions that the server supports, newest first. */
  readonly revisions: readonly string[];
  /** Sessions of all replicas. */
  readonly openSessions: number;
}

/** The token of the person at an upstream. Never return it, log it or send it anywhere but to that upstream. */
export interface UpstreamAccess {
  readonly token: string;
  /** Absent: not known. */
  readonly scopes: readonly string[] | undefined;
  /** Absent: not known. */
  readonly expiresAt: Date | undefined;
}

/** A request to an upstream: as for the global `fetch`, with limits. */
export interface UpstreamRequestInit extends RequestInit {
  /**
   * Milliseconds until the last byte of the answer, redirects included, ten minutes at most; default: one minute. The time in which a
   * person connects the account does not count.
   */
  readonly timeout?: number;
  /** Bytes of the answer after which reading it fails; default: 16 MiB. */
  readonly maxBytes?: number;
}

/** The functions that a tool, a resource or a prompt can use while it runs. */
export interface Context {
  /** Who calls. `claims` is what the token says about the person; only issuer and subject together identify them. */
  readonly principal: Principal;
  readonly now: () => Date;
  readonly server: () => Promise<ServerStatus>;
  /** Aborted when the client cancels the call or the session ends. */
  readonly signal: AbortSignal;
  /** Reports progress; does nothing when the client did not ask for it. */
  progress(progress: number, total?: number, message?: string): Promise<void>;
  /** Sends a log message to the client if its level is at least the one that the client has set. */
  log(level: LogLevel, data: unknown): Promise<void>;
  /**
   * Asks the user of the client. In MCP 2026-07-28 a question ends the request, and the client sends it again with
   * the answer: the tool then runs again from its start, and every earlier question returns its answer immediately.
   * So the order of the questions may only depend on the arguments and the answers, and side effects belong after
   * the last question.
   * @param key names the question; a client that knows the name may send the answer with its first request
   *   (2026-07-28)
   * @throws ToolError when the client does not support elicitation
   */
  elicit<S extends z.ZodObject>(message: string, schema: S, key?: string): Promise<Elicited<z.infer<S>>>;
  /**
   * Asks the client's model for a message. As for `elicit`, the tool may run again.
   * @throws ToolError when the client does not support sampling
   */
  sample(request: CreateMessageRequestParamsWithTools, key?: string): Promise<CreateMessageResultWithTools>;
  sample(request: CreateMessageRequestParamsBase, key?: string): Promise<CreateMessageResult>;
  /**
   * The folders that the client works on. As for `elicit`, the tool may run again.
   * @throws ToolError when the client does not support roots
   */
  roots(key?: string): Promise<readonly Root[]>;
  /**
   * The token of the person at an upstream that UPSTREAMS names, for a library that sends requests itself; prefer `fetch`. A person
   * who has not connected the account is sent to the page for it, and the call waits. As for `elicit`, the tool may run again.
   * @param options `rejected`: the token that the upstream has refused (401), to get another one
   * @throws ToolError when there is none
   */
  upstream(name: string, options?: { readonly rejected?: string }): Promise<UpstreamAccess>;
  /**
   * Sends a request to an upstream with the token of the person. It goes to the hosts of that upstream only; redirects elsewhere are
   * not followed, and are the answer then. A token that the upstream refuses is replaced once. A request that nobody has awaited ends
   * when the tool returns.
   * @param url a path that begins with a slash, or a whole URL
   * @throws ToolError when the request can't be sent
   */
  fetch(name: string, url: string | URL, init?: UpstreamRequestInit): Promise<Response>;
  /** Notifies every subscribed client, on every replica, that what this server offers has changed. */
  announce(change: Change): Promise<void>;
  /**
   * Closes the connection before a long wait; where the revision allows it, the client reconnects for the answer
   * (SSE polling).
   */
  releaseConnection(): Promise<void>;
}

/** The result of a tool: text, other content, structured data, or several of them. */
export interface ToolResult<O = unknown> {
  readonly text?: string;
  /** Follows the text. */
  readonly content?: readonly ContentBlock[];
  /** Must match the tool's `output` schema. Without a text, its JSON is also sent as text. */
  readonly structured?: O;
  /** The SDK's name for `structured`. */
  readonly structuredContent?: O;
  /** Whether the result is a failure, as with a `ToolError`. */
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** One scope, or several that are all required, in addition to the base scope. */
export type Scopes = string | readonly string[];

/** A JSON Schema of the dialect 2020-12, or of draft-07 if `$schema` says so; sent to clients unchanged. */
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
  /**
   * `.meta({ 'x-mcp-header': 'Name' })` on a member makes clients repeat it in the header `Mcp-Param-Name`
   * (2026-07-28).
   */
  readonly input: I;
  readonly output?: O;
  /** The upstreams at which it acts for the person. Without them in UPSTREAMS it is not offered. */
  readonly upstream?: string | readonly string[];
  /** Names of arguments whose values the audit may show; it shows no others. */
  readonly audit?: readonly string[];
  readonly annotations?: {
    readonly readOnlyHint?: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  };
  run(input: z.infer<I>, context: Context): Promise<ToolResult<z.input<O>>> | ToolResult<z.input<O>>;
}

/**
 * A tool whose arguments are described by JSON Schema instead of zod, such as a tool that forwards to another
 * system.
 */
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

/** Suggests values that start with the typed text; `given` has the other arguments (MCP completion). */
export type Complete = (
  typed: string,
  given: Readonly<Record<string, string>>,
  principal: Principal,
) => readonly string[] | Promise<readonly string[]>;

export interface ResourceContent {
  readonly mimeType?: string;
  readonly text?: string;
  /** Sent as base64. */
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
  /** To announce a change of the content, call `context.announce({ kind: 'resource', uri })`. */
  read(context: Context): Promise<ResourceContent> | ResourceContent;
}

/** Many resources of one shape: a URI template (RFC 6570, level 1: `{name}`). */
export interface ResourceTemplate extends Described {
  readonly uriTemplate: string;
  readonly mimeType?: string;
  /** By variable of the template. */
  readonly complete?: Readonly<Record<string, Complete>>;
  /** @returns nothing when the resource does not exist */
  read(
    variables: Readonly<Record<string, string>>,
    context: Context,
  ): Promise<ResourceContent | undefined> | ResourceContent | undefined;
}

/** Declares a resource or a template of resources; the default export of a `*.resource.ts` file. */
export function defineResource(resource: Resource): Resource;
export function defineResource(template: ResourceTemplate): ResourceTemplate;
export function defineResource<R>(resource: R): R {
  return resource;
}

/** A template for messages that a user selects. */
export interface Prompt<A extends z.ZodObject = z.ZodObject> extends Described {
  /** Strings, required or optional; users read the text of `.describe()`. */
  readonly arguments?: A;
  /** By argument name. */
  readonly complete?: Readonly<Record<string, Complete>>;
  render(given: z.infer<A>, context: Context): Promise<readonly PromptMessage[]> | readonly PromptMessage[];
}

/** Declares a prompt; the default export of a `*.prompt.ts` file. */
export const definePrompt = <A extends z.ZodObject>(prompt: Prompt<A>): Prompt<A> => prompt;

/** An expected failure of a tool: becomes a result with `isError` and this message. Write the message for the model. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}
