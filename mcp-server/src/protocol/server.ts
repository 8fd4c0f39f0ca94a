/** Owns what the methods of tools answer: a page of the catalog, and the result of a call (MCP server/tools). */
import type { Logger } from '@mcp-oauth/shared/logger';
import { type CallToolRequest, type CallToolResult, ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import { RpcError } from './call.ts';
import type { Catalog, CatalogEntry, ListedTool } from './catalog.ts';
import { type Context, ToolError, type ToolResult } from './define.ts';

const PAGE = 100;

/** The cursor is the name of the last tool of the page before, so that it survives a restart with other tools. */
export function listTools({ entries }: Catalog, cursor?: string): { tools: ListedTool[]; nextCursor?: string } {
  const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
  if (after === '') throw new RpcError(ErrorCode.InvalidParams, 'Invalid cursor');
  const rest = after === undefined ? entries : entries.filter(({ tool }) => tool.name > after);
  const tools = rest.slice(0, PAGE).map(({ listed }) => listed);
  const last = tools.at(-1);
  const more = rest.length > PAGE && last;
  return { tools, ...(more && { nextCursor: Buffer.from(last.name).toString('base64url') }) };
}

export async function callTool(
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
