/**
 * Owns `tools/list` and `tools/call` (MCP server/tools). This is the most frequent path through the server, so
 * nothing expensive is created per request.
 */
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { auditToolCall, type ToolCall } from '../audit/tool-call.ts';
import { AuthorFault, asError } from '../author-fault.ts';
import { type Call, type Method, RpcError } from '../call.ts';
import type { Checked, ToolEntry } from '../catalog/tool-entry.ts';
import { ToolError } from '../define.ts';
import { toolResult } from './content/tool-result.ts';
import { createContext } from './context.ts';
import { isForEra, type MethodsDependencies, recordFault, type ToolOutcome } from './dependencies.ts';
import { listMethod } from './list-method.ts';
import { objectOf, permit, textOf } from './params.ts';

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
  const asked = { tool, call, given, startedAt: performance.now() };
  const failed = (error: unknown) => failureOf(dependencies, asked, error);
  try {
    const checked = tool.check(given);
    if ('problems' in checked) return misused(dependencies, asked, checked);
    const result = tool.run(checked.input, createContext(call, name, dependencies));
    if (!isThenable(result)) return success(dependencies, asked, result);
    call.onAbandoned?.(() => auditToolCall(asked, 'asked'));
    return Promise.resolve(result)
      .then((late) => success(dependencies, asked, late))
      .catch(failed);
  } catch (error) {
    return failed(error);
  }
}

/** @throws AuthorFault when the tool's result is invalid */
function success(dependencies: MethodsDependencies, asked: AskedTool, given: unknown): CallToolResult {
  const result = toolResult(given, asked.tool);
  ended(dependencies, asked, result.isError ? 'failed' : 'ok', result);
  return result;
}

/** A call that reached its tool. */
interface AskedTool extends ToolCall {
  readonly tool: ToolEntry;
}

function ended({ onToolCall }: MethodsDependencies, asked: AskedTool, outcome: ToolOutcome, result?: object): void {
  onToolCall?.(asked.tool.key, outcome);
  auditToolCall(asked, outcome, result);
}

/** @throws MissingCapability or ConnectionNeeded, which each era converts to its own answer */
function failureOf(dependencies: MethodsDependencies, asked: AskedTool, thrown: unknown): CallToolResult {
  const {
    call,
    tool: { key },
  } = asked;
  const error = asError(thrown);
  if (isForEra(error)) {
    auditToolCall(asked, 'asked');
    throw error;
  }
  const outcome = error instanceof ToolError ? 'failed' : 'fault';
  ended(dependencies, asked, call.signal.aborted ? 'cancelled' : outcome);
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
  dependencies: MethodsDependencies,
  asked: AskedTool,
  { problems }: Extract<Checked, { problems: unknown }>,
): CallToolResult {
  const { key, takes } = asked.tool;
  ended(dependencies, asked, 'invalid_arguments');
  const known = takes.length > 0 ? `It takes: ${takes.join(', ')}.` : 'It takes no arguments.';
  const list = problems.map((problem) => `- ${problem}`);
  return failure([`${key} was not run, its arguments are not valid:`, ...list, known].join('\n'));
}

export const failure = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true });
