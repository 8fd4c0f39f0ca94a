/** Owns the set of tools: found, checked and turned into JSON Schema once at start, never per request (MCP server/tools). */

import { discover } from '@mcp-oauth/shared/discover';
import { StartError } from '@mcp-oauth/shared/errors';
import { z } from 'zod';
import type { Tool } from './define.ts';
import type { ToolSummary } from './endpoints.ts';

/** A tool as `tools/list` shows it. */
export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonObjectSchema;
  readonly outputSchema?: JsonObjectSchema;
  readonly annotations?: NonNullable<Tool['annotations']>;
}

type JsonObjectSchema = { readonly type: 'object'; readonly [keyword: string]: unknown };

export interface CatalogEntry {
  readonly tool: Tool;
  readonly listed: ListedTool;
  /** The tool's input schema; refuses arguments that the tool does not know, as models invent some. */
  readonly input: z.ZodObject;
}

export interface Catalog {
  /** By name, in order. */
  readonly entries: readonly CatalogEntry[];
  readonly summaries: readonly ToolSummary[];
  find(name: string): CatalogEntry | undefined;
}

interface Source {
  readonly tool: Tool;
  /** Where the tool came from, for the messages. */
  readonly from: string;
}

/**
 * Loads every `*.tool.ts` of a folder.
 * @throws StartError when a tool can't be loaded or offered, or two have one name
 */
export async function loadCatalog(folder: URL): Promise<Catalog> {
  const found = await discover(folder, '.tool', isTool);
  return build(found.map(({ file, value }) => ({ tool: value, from: file.pathname })));
}

/** @throws StartError as `loadCatalog` does */
export const createCatalog = (tools: readonly Tool[]): Catalog =>
  build(tools.map((tool, index) => ({ tool, from: `tool ${index + 1}` })));

function build(sources: readonly Source[]): Catalog {
  const byName = new Map<string, Source & CatalogEntry>();
  for (const source of sources) {
    const { name } = source.tool;
    const earlier = byName.get(name);
    if (earlier) throw new StartError(`two tools are named ${name}: ${earlier.from} and ${source.from}`);
    byName.set(name, { ...source, ...describe(source) });
  }
  const entries = [...byName.values()].sort((a, b) => (a.tool.name < b.tool.name ? -1 : 1));
  return {
    entries,
    summaries: entries.map(({ tool: { name, title, description, scope } }) => ({
      name,
      title,
      description,
      scope: [scope ?? []].flat()[0],
    })),
    find: (name) => byName.get(name),
  };
}

function describe({ tool, from }: Source): CatalogEntry {
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(tool.name)) throw new StartError(`${from}: "${tool.name}" is no name for a tool`);
  const input = tool.input.def.catchall ? tool.input : tool.input.strict();
  try {
    const { name, title, description, annotations } = tool;
    const outputSchema = tool.output && objectSchema(tool.output, 'output');
    const listed: ListedTool = {
      name,
      title,
      description,
      inputSchema: objectSchema(input, 'input'),
      ...(outputSchema && { outputSchema }),
      ...(annotations && { annotations }),
    };
    return { tool, input, listed };
  } catch (cause) {
    throw new StartError(`${from}: the schemas of ${tool.name} can't be written as JSON Schema: ${cause}`, { cause });
  }
}

/** Without `$schema`: an absent one means 2020-12 (MCP basic, JSON Schema usage), and every list gets shorter. */
export function objectSchema(schema: z.ZodObject, io: 'input' | 'output'): JsonObjectSchema {
  const { $schema: _, '~standard': __, ...rest } = z.toJSONSchema(schema, { io }) as Record<string, unknown>;
  return { ...rest, type: 'object' };
}

function isTool(candidate: unknown): candidate is Tool {
  const tool = candidate as Partial<Tool> | null | undefined;
  return (
    typeof tool?.name === 'string' &&
    typeof tool.title === 'string' &&
    typeof tool.description === 'string' &&
    typeof tool.run === 'function' &&
    tool.input instanceof z.ZodObject
  );
}
