/**
 * Owns the conversion of a tool's return value to an answer that every client can read, or to a named error of the
 * tool (MCP server/tools, "Tool Result"). No part of the value is dropped silently.
 */
import { jsonText, wellFormed } from '@mcp-oauth/shared/text/json-text';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { AuthorFault, isRecord, requireJson, wrongType } from '../../author-fault.ts';
import type { ToolEntry } from '../../catalog/tool-entry.ts';
import { strayMember } from '../../members.ts';
import { base64 } from './bytes.ts';
import { contentBlocks } from './content-block.ts';
import { asWritten, requirePlain } from './plain-json.ts';

/** `structuredContent`, `isError` and `_meta` are the names of the SDK, for tools that were written for it. */
const MEMBERS: ReadonlySet<string> = new Set([
  'text', 'content', 'structured', 'structuredContent', 'isError', '_meta',
]); // biome-ignore format: one list

const EXPECTED = 'an object with text, content, structured, or several of them';

/** @throws AuthorFault, also when the structured data does not match the tool's output schema */
export function toolResult(value: unknown, tool: Pick<ToolEntry, 'structured'>): CallToolResult {
  const given = typeof value === 'string' ? { text: value } : value;
  if (!isRecord(given)) throw wrongType('the returned value', EXPECTED, given);
  const stray = strayMember(given, MEMBERS);
  if (stray !== undefined) throw new AuthorFault(`the returned value: ${stray}`);
  const { text, content, isError, _meta } = given;
  if (text !== undefined && typeof text !== 'string') throw wrongType('text', 'a string', text);
  if (isError !== undefined && typeof isError !== 'boolean') throw wrongType('isError', 'true or false', isError);
  const data = structuredOf(given, tool, isError === true);
  requirePlain(data, 'structured');
  const json = data && requireJson(data, 'structured');
  const structured = json?.includes(BUFFER) ? revived(json) : data;
  const blocks = content === undefined ? [] : contentBlocks(content);
  // Clients without support for structured content read it as text.
  const words =
    text ?? (json === undefined ? undefined : structured === data ? wellFormed(json) : jsonText(structured));
  return {
    content: words === undefined ? blocks : [{ type: 'text', text: words }, ...blocks],
    ...(structured !== undefined && { structuredContent: structured }),
    ...(isError === true && { isError }),
    ...(_meta !== undefined && { _meta: metaOf(_meta) }),
  };
}

type Json = Readonly<Record<string, unknown>>;

/** A failure does not have to match the output schema. */
function structuredOf(given: Json, tool: Pick<ToolEntry, 'structured'>, failed: boolean): Json | undefined {
  const { structured, structuredContent } = given;
  if (structured !== undefined && structuredContent !== undefined) {
    throw new AuthorFault('structured and structuredContent are the same: give one of them');
  }
  const data = written(structured === undefined ? structuredContent : structured);
  if (failed && data === undefined) return undefined;
  return tool.structured(data);
}

/** JSON would write a Buffer in a form that no client recognizes as bytes. */
const BUFFER = '{"type":"Buffer","data":[';

/** With bytes as base64. */
const revived = (json: string): Json =>
  JSON.parse(json, (_, value) =>
    value?.type === 'Buffer' && Array.isArray(value.data) ? base64Of(value.data) : value,
  );

const base64Of = (data: readonly number[]): string => base64(Uint8Array.from(data));

function metaOf(given: unknown): Record<string, unknown> {
  const meta = written(given);
  if (!isRecord(meta)) throw wrongType('_meta', 'an object', meta);
  requirePlain(meta, '_meta');
  return meta;
}

/** Uses `toJSON` where an object has it, such as a database record. */
const written = (value: unknown): unknown => (isRecord(value) ? (asWritten(value) ?? null) : value);
