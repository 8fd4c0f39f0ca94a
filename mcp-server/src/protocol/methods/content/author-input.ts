/**
 * Owns the checks of messages that an author sends while a call runs: progress, log messages, questions and
 * changes, as MCP can carry them.
 */
import { CreateMessageRequestParamsSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { AuthorFault, isRecord, requireJson, wrongType } from '../../author-fault.ts';
import type { Change } from '../../changes/changes.ts';
import type { LogLevel } from '../../define.ts';
import { withBase64 } from './content-block.ts';
import { requirePlain } from './plain-json.ts';

/** RFC 5424 §6.2.1, least severe first. */
const LEVELS: readonly unknown[] = [
  'debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency',
] satisfies LogLevel[]; // biome-ignore format: one list

const LISTS: ReadonlySet<unknown> = new Set(['tools', 'prompts', 'resources']);

/** JSON would turn NaN and infinity into null. @throws AuthorFault */
export function requireProgress(progress: unknown, total: unknown, message: unknown): void {
  if (!Number.isFinite(progress)) throw wrongType('progress', 'a finite number', progress);
  if (total !== undefined && !Number.isFinite(total)) throw wrongType('total of progress', 'a finite number', total);
  if (message !== undefined) requireText(message, 'message of progress');
}

/** @returns whether a client with the level `least` gets a message of `level`. @throws AuthorFault */
export function meetsLevel(level: unknown, least: LogLevel | undefined): boolean {
  const rank = LEVELS.indexOf(level);
  if (rank < 0) throw new AuthorFault(`level of log has to be one of ${LEVELS.join(', ')}`);
  return least !== undefined && rank >= LEVELS.indexOf(least);
}

/** Absent data becomes null, as the member is required. @throws AuthorFault */
export function logData(data: unknown): unknown {
  return requireJson(data, 'data of log') === undefined ? null : data;
}

/** @throws AuthorFault */
export function requireChange(change: unknown): asserts change is Change {
  if (!isRecord(change)) throw wrongType('change', 'an object with a kind', change);
  if (LISTS.has(change.kind)) return;
  if (change.kind !== 'resource') {
    throw new AuthorFault('kind of a change has to be one of tools, prompts, resources, resource');
  }
  requireText(change.uri, 'uri of a change');
}

/** @throws AuthorFault */
export function requireQuestion(message: unknown, schema: unknown, key: unknown): void {
  requireText(message, 'message of elicit');
  if (!(schema instanceof z.ZodObject)) throw wrongType('schema of elicit', 'an object schema of zod 4', schema);
  requireKey(key);
}

/** @throws AuthorFault */
export function requireKey(key: unknown): void {
  if (key !== undefined) requireText(key, 'key of a question');
}

/** The request to the client's model, with bytes as base64. @throws AuthorFault */
export function samplingRequest<R extends object>(request: R): R {
  if (!isRecord(request)) throw wrongType('request of sample', 'an object with messages and maxTokens', request);
  const whole = Array.isArray(request.messages) ? { ...request, messages: request.messages.map(inBase64) } : request;
  const [issue] = CreateMessageRequestParamsSchema.safeParse(whole).error?.issues ?? [];
  if (issue) throw new AuthorFault(`request of sample: ${issue.path.join('.')}: ${issue.message}`);
  requirePlain(whole, 'request of sample');
  return whole as R;
}

function inBase64(message: unknown): unknown {
  if (!isRecord(message)) return message;
  const written = (block: unknown) => (isRecord(block) ? withBase64(block) : block);
  const { content } = message;
  return { ...message, content: Array.isArray(content) ? content.map(written) : written(content) };
}

function requireText(value: unknown, what: string): void {
  if (typeof value !== 'string') throw wrongType(what, 'a string', value);
}
