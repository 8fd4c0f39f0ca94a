/** Owns `prompts/list` and `prompts/get` (MCP server/prompts). */
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import type { GetPromptResult } from '@modelcontextprotocol/sdk/types.js';
import { parsed } from '../author-fault.ts';
import { type Call, type Method, RpcError } from '../call.ts';
import type { PromptEntry } from '../catalog/prompt-entry.ts';
import { promptMessages } from './content/prompt-messages.ts';
import { createContext } from './context.ts';
import { type MethodsDependencies, orError } from './dependencies.ts';
import { listMethod } from './list-method.ts';
import { invalid, permit, textOf, textsOf } from './params.ts';

export function promptMethods(dependencies: MethodsDependencies): readonly (readonly [string, Method])[] {
  return [
    ['prompts/list', listMethod(dependencies, (catalog) => catalog.prompts)],
    ['prompts/get', (params, call) => getPrompt(dependencies, params, call)],
  ];
}

/** @throws RpcError */
export function promptOf({ catalog, covers }: MethodsDependencies, name: string, { principal }: Call): PromptEntry {
  const prompt = catalog().prompts.find(name);
  if (!prompt) throw new RpcError(INVALID_PARAMS, `Unknown prompt: ${name}`);
  permit(prompt, principal, covers);
  return prompt;
}

async function getPrompt(
  dependencies: MethodsDependencies,
  params: Parameters<Method>[0],
  call: Call,
): Promise<GetPromptResult> {
  const prompt = promptOf(dependencies, textOf(params, 'name'), call);
  const given = textsOf(params, 'arguments');
  const read = () => parsed(prompt.arguments, given, 'arguments');
  const { success, data, error } = await orError(dependencies, call, { prompt: prompt.key }, read);
  if (!success) throw invalid(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  const { key, description } = prompt;
  const render = async () => promptMessages(await prompt.render(data, createContext(call, key, dependencies)));
  return { description, messages: await orError(dependencies, call, { prompt: key }, render) };
}
