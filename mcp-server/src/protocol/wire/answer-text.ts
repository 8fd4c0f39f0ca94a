/** Owns the JSON text of a response, whose size has a bound (JSON-RPC 2.0 §5). */
import { jsonText } from '@mcp-oauth/shared/json-text';
import type { Allowance } from '../../allowance/allowance.ts';
import type { LimitReached } from '../../allowance/limit.ts';

/** JSON-RPC 2.0 §5.1: an error of the server. */
const INTERNAL_ERROR = -32603;

type Id = string | number;

/** The text of a response, or of an error in its place where it is too large. @throws when it can't be written as JSON */
export const answerText = (response: object, id: Id, allowance: Allowance): string =>
  boundedText(jsonText(response), id, allowance);

/** The same of a text that is there already. */
export function boundedText(text: string, id: Id, allowance: Allowance): string {
  const { maxAnswerBytes: most } = allowance.limits;
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return text;
  return errorText(id, INTERNAL_ERROR, allowance.reached('MAX_ANSWER_BYTES', most));
}

/** The text of an error that says which limit has been reached. */
export const errorText = (id: Id, code: number, reached: LimitReached): string =>
  jsonText({ jsonrpc: '2.0', id, error: { code, ...reached } });
