/**
 * Owns `completion/complete` (MCP server/utilities/completion): suggestions only for callers who may use the prompt
 * or resource.
 */
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import type { CompleteResult } from '@modelcontextprotocol/sdk/types.js';
import { type Call, type Method, RpcError } from '../call.ts';
import type { Complete } from '../define.ts';
import { suggestions } from './content/suggestions.ts';
import { type MethodsDependencies, orError } from './dependencies.ts';
import { invalid, objectOf, type Params, permit, textOf, textsOf } from './params.ts';
import { promptOf } from './prompt-methods.ts';

const MOST = 100;

export const completionMethods = (dependencies: MethodsDependencies): readonly (readonly [string, Method])[] => [
  ['completion/complete', (params, call) => complete(dependencies, params, call)],
];

/** A prompt or a template with arguments that can be completed. */
interface Completable {
  readonly takes: readonly string[];
  readonly complete: ReadonlyMap<string, Complete>;
}

async function complete(dependencies: MethodsDependencies, params: Params, call: Call): Promise<CompleteResult> {
  const ref = objectOf(params, 'ref');
  const argument = objectOf(params, 'argument');
  const [name, typed] = [textOf(argument, 'name'), textOf(argument, 'value')];
  const given = textsOf(objectOf(params, 'context'), 'arguments');
  const { takes, complete: completers } = referenced(dependencies, ref, call);
  if (!takes.includes(name)) throw invalid(`there is no argument ${name}`);
  const completer = completers.get(name);
  const what = { completion: ref.name ?? ref.uri, argument: name };
  const complete = async () => suggestions(await completer?.(typed, given, call.principal));
  const values = await orError(dependencies, call, what, complete);
  return { completion: { values: values.slice(0, MOST), total: values.length, hasMore: values.length > MOST } };
}

/** @throws RpcError */
function referenced(dependencies: MethodsDependencies, ref: Params, call: Call): Completable {
  if (ref.type === 'ref/prompt') return promptOf(dependencies, textOf(ref, 'name'), call);
  if (ref.type !== 'ref/resource') throw invalid('ref.type has to be ref/prompt or ref/resource');
  const uri = textOf(ref, 'uri');
  const { templates, resources } = dependencies.catalog();
  const template = templates.find(uri);
  if (!template && !resources.find(uri)) throw new RpcError(INVALID_PARAMS, `Unknown resource template: ${uri}`);
  if (!template) return { takes: [], complete: new Map() };
  permit(template, call.principal, dependencies.covers);
  return { takes: template.template.variables, complete: template.complete };
}
