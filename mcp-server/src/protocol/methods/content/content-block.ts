/**
 * Owns the check of content that an author gives: blocks as MCP has them, with bytes written as base64 (MCP server/tools, "Tool
 * Result"). One block that is none makes a client refuse the whole answer.
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
  // Not with map, which leaves holes as they are.
  for (let index = 0; index < content.length; index += 1) {
    const block: unknown = content[index];
    blocks.push(isPlainText(block) ? block : contentBlock(block, `content[${index}]`));
  }
  return blocks;
}

/**
 * @param at where the block stands, such as `content[0]`
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
  // The schema has just said so.
  return block as unknown as ContentBlock;
}

/** Clients read a URI with a URL type, and refuse the whole answer when they can't. @throws AuthorFault */
function requireUri({ uri, resource }: Json, at: string): void {
  const [given, where] = isRecord(resource) ? [resource.uri, `${at}.resource.uri`] : [uri, `${at}.uri`];
  if (given !== undefined && !URL.canParse(String(given))) {
    throw new AuthorFault(`${where} has to be a URI, such as notes://today (RFC 3986 §3)`);
  }
}

/** The members that JSON sees: neither those of a class nor those that are not enumerable. */
function ownMembers(value: Json): Json {
  const written = asWritten(value);
  return isRecord(written) ? { ...written } : {};
}

/** What nearly every block is, known at a fraction of the price of a schema. */
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

/** Bytes as they go out. */
export function withBase64(block: Json): Json {
  const { data, resource } = block;
  if (isBytes(data)) return { ...block, data: base64(data) };
  if (isRecord(resource) && isBytes(resource.blob)) {
    return { ...block, resource: { ...resource, blob: base64(resource.blob) } };
  }
  return block;
}
