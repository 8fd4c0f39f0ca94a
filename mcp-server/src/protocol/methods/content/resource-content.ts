/** Owns the conversion of a resource's return value to text or bytes, or to a named error (MCP server/resources). */
import type { ReadResourceResult } from '@modelcontextprotocol/sdk/types.js';
import { AuthorFault, isRecord, wrongType } from '../../author-fault.ts';
import { strayMember } from '../../members.ts';
import { base64, isBytes } from './bytes.ts';

const MEMBERS: ReadonlySet<string> = new Set(['mimeType', 'text', 'bytes']);

type Content = ReadResourceResult['contents'][number];

/**
 * @param mimeType the type that the resource declares
 * @throws AuthorFault
 */
export function resourceContent(value: unknown, uri: string, mimeType: string | undefined): Content {
  const given = typeof value === 'string' ? { text: value } : isBytes(value) ? { bytes: value } : value;
  if (!isRecord(given)) throw wrongType('the returned value', 'an object with text or bytes', given);
  const stray = strayMember(given, MEMBERS);
  if (stray !== undefined) throw new AuthorFault(`the returned value: ${stray}`);
  const { mimeType: own = mimeType, text, bytes } = given;
  if (own !== undefined && typeof own !== 'string') throw wrongType('mimeType', 'a string', own);
  if (text !== undefined && bytes !== undefined)
    throw new AuthorFault('text and bytes are both there: give one of them');
  const about = { uri, ...(own && { mimeType: own }) };
  if (text === undefined && bytes === undefined) throw new AuthorFault('neither text nor bytes are there');
  if (bytes === undefined) {
    if (typeof text !== 'string') throw wrongType('text', 'a string', text);
    return { ...about, text };
  }
  if (!isBytes(bytes)) throw wrongType('bytes', 'a Uint8Array', bytes);
  return { ...about, blob: base64(bytes) };
}
