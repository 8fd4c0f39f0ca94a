/** Owns `resources/list`, `resources/templates/list` and `resources/read` (MCP server/resources). */
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import type { ReadResourceResult } from '@modelcontextprotocol/sdk/types.js';
import { type Call, type Method, RpcError } from '../call.ts';
import type { ResourceEntry, TemplateEntry } from '../catalog/resource-entry.ts';
import type { Context } from '../define.ts';
import { resourceContent } from './content/resource-content.ts';
import { createContext } from './context.ts';
import { type MethodsDependencies, orError } from './dependencies.ts';
import { listMethod } from './list-method.ts';
import { permit, textOf } from './params.ts';

/** The code is that of 2026-07-28; earlier revisions have their own code for this error. */
export class ResourceNotFound extends RpcError {
  constructor(uri: string) {
    super(INVALID_PARAMS, 'Resource not found', { uri });
  }
}

export function resourceMethods(dependencies: MethodsDependencies): readonly (readonly [string, Method])[] {
  return [
    ['resources/list', listMethod(dependencies, (catalog) => catalog.resources)],
    ['resources/templates/list', listMethod(dependencies, (catalog) => catalog.templates)],
    ['resources/read', (params, call) => readResource(dependencies, params, call)],
  ];
}

interface Readable {
  readonly entry: ResourceEntry | TemplateEntry;
  read(context: Context): ReturnType<TemplateEntry['read']>;
}

function find({ catalog }: MethodsDependencies, uri: string): Readable | undefined {
  const fixed = catalog().resources.find(uri);
  if (fixed) return { entry: fixed, read: fixed.read };
  const templated = catalog().templateOf(uri);
  if (!templated) return undefined;
  const { entry, variables } = templated;
  return { entry, read: (context) => entry.read(variables, context) };
}

async function readResource(
  dependencies: MethodsDependencies,
  params: Parameters<Method>[0],
  call: Call,
): Promise<ReadResourceResult> {
  const uri = textOf(params, 'uri');
  const found = find(dependencies, uri);
  if (!found) throw new ResourceNotFound(uri);
  const { entry } = found;
  permit(entry, call.principal, dependencies.covers);
  return orError(dependencies, call, { resource: entry.key }, async () => {
    const content = await found.read(createContext(call, entry.name, dependencies));
    if (content === undefined || content === null) throw new ResourceNotFound(uri);
    return { contents: [resourceContent(content, uri, entry.mimeType)] };
  });
}
