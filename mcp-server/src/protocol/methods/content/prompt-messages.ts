/** Owns the conversion of a prompt's return value to messages, or to a named error (MCP server/prompts). */
import type { PromptMessage } from '@modelcontextprotocol/sdk/types.js';
import { AuthorFault, isRecord, wrongType } from '../../author-fault.ts';
import { strayMember } from '../../members.ts';
import { contentBlock } from './content-block.ts';

const MEMBERS: ReadonlySet<string> = new Set(['role', 'content']);

/** @throws AuthorFault */
export function promptMessages(value: unknown): PromptMessage[] {
  if (!Array.isArray(value)) throw wrongType('the returned value', 'a list of messages', value);
  return Array.from(value, (message, index) => promptMessage(message, `messages[${index}]`));
}

function promptMessage(value: unknown, at: string): PromptMessage {
  if (!isRecord(value)) throw wrongType(at, 'a message with role and content', value);
  const stray = strayMember(value, MEMBERS);
  if (stray !== undefined) throw new AuthorFault(`${at}: ${stray}`);
  const { role, content } = value;
  if (role !== 'user' && role !== 'assistant') throw new AuthorFault(`${at}.role has to be user or assistant`);
  return { role, content: contentBlock(content, `${at}.content`) };
}
