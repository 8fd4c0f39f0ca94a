/** Owns `tools/list` and `tools/call` (MCP server/tools): the hottest way through this server, with nothing made per request. */
import { jsonText } from '@mcp-oauth/shared/json-text';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { type Call, type Method, RpcError } from '../call.ts';
import type { Checked, ToolEntry } from '../catalog/tool-entry.ts';
import { ToolError, type ToolResult } from '../define.ts';
import { createContext } from './context.ts';
import { listMethod } from './lists.ts';
import { INVALID_PARAMS, objectOf, permit, textOf } from './params.ts';
import { type MethodsParts, recordFault } from './parts.ts';
import { MissingCapability } from './questions/missing-capability.ts';

export function toolMethods(parts: MethodsParts): readonly (readonly [string, Method])[] {
  return [
    ['tools/list', listMethod(parts, (catalog) => catalog.tools)],
    ['tools/call', (params, call) => callTool(parts, params, call)],
  ];
}

function callTool(parts: MethodsParts, params: Parameters<Method>[0], call: Call) {
  const name = textOf(params, 'name');
  const given = objectOf(params, 'arguments');
  const tool = parts.catalog().tools.find(name);
  if (!tool) throw new RpcError(INVALID_PARAMS, `Unknown tool: ${name}`);
  permit(tool, call.principal, parts.covers);
  const failed = (error: unknown) => failureOf(parts, tool, call, error);
  try {
    const checked = tool.check(given);
    if ('problems' in checked) return misused(parts, tool, checked);
    const result = tool.run(checked.input, createContext(call, name, parts));
    if (!(result instanceof Promise)) return success(parts, tool, result);
    return result.then((late) => success(parts, tool, late)).catch(failed);
  } catch (error) {
    return failed(error);
  }
}

/** @throws when a tool breaks the promise of its own output schema */
function success(
  { onToolCall }: MethodsParts,
  tool: ToolEntry,
  { text, content = [], structured: given }: ToolResult,
): CallToolResult {
  const structured = tool.structured(given);
  onToolCall?.(tool.key, 'ok');
  // Clients that know no structured content read it as text.
  const words = text ?? (structured === undefined ? undefined : jsonText(structured));
  return {
    content: words === undefined ? [...content] : [{ type: 'text', text: words }, ...content],
    ...(structured !== undefined && { structuredContent: structured as Record<string, unknown> }),
  };
}

/** @throws MissingCapability which each era words in its own way */
function failureOf(parts: MethodsParts, { key }: ToolEntry, call: Call, error: unknown): CallToolResult {
  if (error instanceof MissingCapability) throw error;
  const outcome = error instanceof ToolError ? 'failed' : 'fault';
  parts.onToolCall?.(key, call.signal.aborted ? 'cancelled' : outcome);
  if (error instanceof ToolError) return failure(error.message);
  recordFault(parts, call, { tool: key }, error);
  return failure(`${key} failed because of a fault in this server, which has been recorded. Trying again may help.`);
}

/** Wrong arguments are the tool's answer and no protocol error, so that the model sees them and tries again (SEP-1303). */
function misused(
  { onToolCall }: MethodsParts,
  { key, takes }: ToolEntry,
  { problems }: Extract<Checked, { problems: unknown }>,
): CallToolResult {
  onToolCall?.(key, 'invalid_arguments');
  const known = takes.length > 0 ? `It takes: ${takes.join(', ')}.` : 'It takes no arguments.';
  const list = problems.map((problem) => `- ${problem}`);
  return failure([`${key} was not run, its arguments are not valid:`, ...list, known].join('\n'));
}

export const failure = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true });
