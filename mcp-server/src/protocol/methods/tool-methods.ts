/**
 * Owns `tools/list` and `tools/call` (MCP server/tools). This is the most frequent path through the server, so
 * nothing expensive is created per request.
 */
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { AuthorFault, asError } from '../author-fault.ts';
import { type Call, type Method, RpcError } from '../call.ts';
import type { Checked, ToolEntry } from '../catalog/tool-entry.ts';
import { ToolError } from '../define.ts';
import { toolResult } from './content/tool-result.ts';
import { createContext } from './context.ts';
import { type MethodsDependencies, recordFault } from './dependencies.ts';
import { listMethod } from './list-method.ts';
import { objectOf, permit, textOf } from './params.ts';
import { MissingCapability } from './questions/missing-capability.ts';

export function toolMethods(dependencies: MethodsDependencies): readonly (readonly [string, Method])[] {
  return [
    ['tools/list', listMethod(dependencies, (catalog) => catalog.tools)],
    ['tools/call', (params, call) => callTool(dependencies, params, call)],
  ];
}

function callTool(dependencies: MethodsDependencies, params: Parameters<Method>[0], call: Call) {
  const name = textOf(params, 'name');
  const given = objectOf(params, 'arguments');
  const tool = dependencies.catalog().tools.find(name);
  if (!tool) throw new RpcError(INVALID_PARAMS, `Unknown tool: ${name}`);
  permit(tool, call.principal, dependencies.covers);
  const failed = (error: unknown) => failureOf(dependencies, tool, call, error);
  try {
    const checked = tool.check(given);
    if ('problems' in checked) return misused(dependencies, tool, checked);
    const result = tool.run(checked.input, createContext(call, name, dependencies));
    if (!isThenable(result)) return success(dependencies, tool, result);
    return Promise.resolve(result)
      .then((late) => success(dependencies, tool, late))
      .catch(failed);
  } catch (error) {
    return failed(error);
  }
}

/** @throws AuthorFault when the tool's result is invalid */
function success({ onToolCall }: MethodsDependencies, tool: ToolEntry, given: unknown): CallToolResult {
  const result = toolResult(given, tool);
  onToolCall?.(tool.key, result.isError ? 'failed' : 'ok');
  return result;
}

/** @throws MissingCapability, which each era converts to its own answer */
function failureOf(dependencies: MethodsDependencies, { key }: ToolEntry, call: Call, thrown: unknown): CallToolResult {
  const error = asError(thrown);
  if (error instanceof MissingCapability) throw error;
  const outcome = error instanceof ToolError ? 'failed' : 'fault';
  dependencies.onToolCall?.(key, call.signal.aborted ? 'cancelled' : outcome);
  if (error instanceof ToolError) return failure(error.message);
  const reference = recordFault(dependencies, call, { tool: key }, error);
  const named = error instanceof AuthorFault;
  const what = named ? `: ${error.message}. It` : ', which';
  const advice = named ? 'Only the author of the tool can fix it.' : 'Trying again may help.';
  return failure(
    `${key} failed because of a fault in this server${what} has been recorded under the reference ${reference}. ${advice}`,
  );
}

/** A promise of any library. */
const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  value instanceof Promise || (typeof value === 'object' && value !== null && 'then' in value);

/**
 * Invalid arguments become a result and not a protocol error, so that the model sees them and tries again
 * (SEP-1303).
 */
function misused(
  { onToolCall }: MethodsDependencies,
  { key, takes }: ToolEntry,
  { problems }: Extract<Checked, { problems: unknown }>,
): CallToolResult {
  onToolCall?.(key, 'invalid_arguments');
  const known = takes.length > 0 ? `It takes: ${takes.join(', ')}.` : 'It takes no arguments.';
  const list = problems.map((problem) => `- ${problem}`);
  return failure([`${key} was not run, its arguments are not valid:`, ...list, known].join('\n'));
}

export const failure = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true });
