/**
 * Owns what the MCP methods answer: the SDK's low-level server over the catalog (MCP lifecycle, tools, logging). One is
 * made per session; as schemas and validator are shared, that costs microseconds.
 */

import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  type CallToolRequest,
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  type Implementation,
  ListToolsRequestSchema,
  SetLevelRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import type { z } from 'zod';
import type { Principal } from '../authorization/principal.ts';
import { RpcError } from './call.ts';
import type { Catalog, CatalogEntry, ListedTool } from './catalog.ts';
import { createContext, type Extra } from './context.ts';
import { type Context, type LogLevel, type ServerStatus, ToolError, type ToolResult } from './define.ts';

export interface ServerParts {
  readonly catalog: Catalog;
  readonly serverInfo: Implementation;
  readonly status: () => ServerStatus;
  readonly clock: Clock;
  readonly log: Logger;
}

const PAGE = 100;

/** Gives a function that makes the server of one session. */
export function createServerFactory(parts: ServerParts): () => Server {
  const { catalog, serverInfo } = parts;
  const options = {
    capabilities: { tools: {}, logging: {} },
    jsonSchemaValidator: new AjvJsonSchemaValidator(),
  };
  return () => {
    const server = new Server(serverInfo, options);
    let logLevel: LogLevel = 'info';
    server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
      logLevel = params.level;
      return {};
    });
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) => listTools(catalog, params?.cursor));
    server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
      const entry = catalog.find(params.name);
      if (!entry) throw new RpcError(ErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
      const context = createContext(extra, {
        principal: principalOf(extra),
        tool: params.name,
        capabilities: server.getClientCapabilities(),
        logLevel,
        now: () => new Date(parts.clock.now()),
        server: parts.status,
      });
      return callTool(entry, params, context, parts.log);
    });
    return server;
  };
}

/** The cursor is the name of the last tool of the page before, so that it survives a restart with other tools. */
function listTools({ entries }: Catalog, cursor?: string): { tools: ListedTool[]; nextCursor?: string } {
  const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
  if (after === '') throw new RpcError(ErrorCode.InvalidParams, 'Invalid cursor');
  const rest = after === undefined ? entries : entries.filter(({ tool }) => tool.name > after);
  const tools = rest.slice(0, PAGE).map(({ listed }) => listed);
  const last = tools.at(-1);
  const more = rest.length > PAGE && last;
  return { tools, ...(more && { nextCursor: Buffer.from(last.name).toString('base64url') }) };
}

async function callTool(
  { tool, input }: CatalogEntry,
  { arguments: given = {} }: CallToolRequest['params'],
  context: Context,
  log: Logger,
): Promise<CallToolResult> {
  const scopes = [tool.scope ?? []].flat();
  if (!scopes.every((scope) => context.principal.scopes.has(scope)))
    return failure(`${tool.name} needs the scope ${scopes.join(' ')}.`);
  const checked = input.safeParse(given);
  if (!checked.success) return failure(explain(tool.name, checked.error, Object.keys(input.shape)));
  try {
    return success(tool, await tool.run(checked.data, context));
  } catch (err) {
    if (err instanceof ToolError) return failure(err.message);
    if (!context.signal.aborted) {
      const { subject, clientId } = context.principal;
      log.error({ err, tool: tool.name, subject, client: clientId }, 'tool failed');
    }
    return failure(
      `${tool.name} failed because of a fault in this server, which has been recorded. Trying again may help.`,
    );
  }
}

/** @throws ZodError when a tool breaks the promise of its own output schema */
function success(tool: CatalogEntry['tool'], given: ToolResult): CallToolResult {
  const { structured, text = structured === undefined ? undefined : JSON.stringify(structured) } = given;
  const content = [...(text === undefined ? [] : [{ type: 'text' as const, text }]), ...(given.content ?? [])];
  return tool.output ? { content, structuredContent: tool.output.parse(structured) } : { content };
}

/** Wrong arguments are the tool's answer and no protocol error, so that the model sees them and tries again (SEP-1303). */
function explain(name: string, { issues }: z.ZodError, known: readonly string[]): string {
  const problems = issues.map(({ path, message }) => {
    const what = message.replace(/^Invalid input: /, '');
    return path.length > 0 ? `- ${path.join('.')}: ${what}` : `- ${what}`;
  });
  const takes = known.length > 0 ? `It takes: ${known.join(', ')}.` : 'It takes no arguments.';
  return [`${name} was not run, its arguments are not valid:`, ...problems, takes].join('\n');
}

const failure = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true });

/** The transports put the principal of the very request here: a session outlives its tokens and their scopes. */
function principalOf({ authInfo }: Extra): Principal {
  const { principal } = authInfo?.extra ?? {};
  if (!principal) throw new RpcError(ErrorCode.InternalError, 'Internal error');
  return principal as Principal;
}
