/**
 * Owns the check of content blocks from authors: the types that MCP defines, with bytes encoded as base64 (MCP
 * server/tools, "Tool Result"). One invalid block makes a client refuse the whole answer.
 */
import {
  AudioContentSchema,
  type ContentBlock,
  EmbeddedResourceSchema,
  ImageContentSchema,
  ResourceLinkSchema,
  TextContentSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import { AuthorFault, isRecord, wrongType } from '../../author-fault.ts';
import { base64, isBytes } from './bytes.ts';
import { asWritten, requirePlain } from './plain-json.ts';

type Json = Readonly<Record<string, unknown>>;

const SCHEMAS: ReadonlyMap<unknown, z.ZodType> = new Map<unknown, z.ZodType>([
  ['text', TextContentSchema],
  ['image', ImageContentSchema],
  ['audio', AudioContentSchema],
  ['resource_link', ResourceLinkSchema],
  ['resource', EmbeddedResourceSchema],
]);

const TYPES = [...SCHEMAS.keys()].join(', ');

/** @throws AuthorFault */
export function contentBlocks(content: unknown): ContentBlock[] {
  if (!Array.isArray(content)) throw wrongType('content', 'a list of blocks', content);
  const blocks: ContentBlock[] = [];
  // Unlike map, this also visits holes of the list.
  for (let index = 0; index < content.length; index += 1) {
    const block: unknown = content[index];
    blocks.push(isPlainText(block) ? block : contentBlock(block, `content[${index}]`));
  }
  return blocks;
}

/**
 * @param at position of the block, such as `content[0]`
 * @throws AuthorFault
 */
export function contentBlock(value: unknown, at: string): ContentBlock {
  if (!isRecord(value)) throw wrongType(at, 'a block of content', value);
  const given = ownMembers(value);
  const schema = SCHEMAS.get(given.type);
  if (!schema) throw new AuthorFault(`${at}.type has to be one of ${TYPES}`);
  const block = withBase64(isRecord(given.resource) ? { ...given, resource: ownMembers(given.resource) } : given);
  const { error } = schema.safeParse(block);
  const [issue] = error?.issues ?? [];
  if (issue) throw new AuthorFault(`${[at, ...issue.path].join('.')}: ${wordsOf(issue)}`);
  requireUri(block, at);
  requirePlain(block, at);
  // The schema check guarantees this.
  return block as unknown as ContentBlock;
}

/** Clients parse a URI as a URL, and refuse the whole answer if it is invalid. @throws AuthorFault */
function requireUri({ uri, resource }: Json, at: string): void {
  const [given, where] = isRecord(resource) ? [resource.uri, `${at}.resource.uri`] : [uri, `${at}.uri`];
  if (given !== undefined && !URL.canParse(String(given))) {
    throw new AuthorFault(`${where} has to be a URI, such as notes://today (RFC 3986 §3)`);
  }
}

/** The members that JSON includes: own and enumerable. */
function ownMembers(value: Json): Json {
  const written = asWritten(value);
  return isRecord(written) ? { ...written } : {};
}

/** Recognizes nearly every block for a fraction of the cost of a schema. */
function isPlainText(value: unknown): value is Extract<ContentBlock, { type: 'text' }> {
  if (typeof value !== 'object' || value === null || !('text' in value && 'type' in value)) return false;
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const member in value) if (member !== 'type' && member !== 'text') return false;
  return value.type === 'text' && typeof value.text === 'string';
}

const wordsOf = ({ message, code, path }: z.core.$ZodIssue): string =>
  code === 'invalid_union' && path.at(-1) === 'resource'
    ? 'has to have a uri, and a text or a blob in base64'
    : message.replace(/^Invalid input: /, '');

/** The bytes as base64. */
export function withBase64(block: Json): Json {
  const { data, resource } = block;
  if (isBytes(data)) return { ...block, data: base64(data) };
  if (isRecord(resource) && isBytes(resource.blob)) {
    return { ...block, resource: { ...resource, blob: base64(resource.blob) } };
  }
  return block;
}
