/** Owns the JSON text of a response, whose size is limited (JSON-RPC 2.0 §5). */
import { INTERNAL_ERROR } from '@mcp-oauth/shared/json-rpc-codes';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { Allowance } from '../../allowance/allowance.ts';
import type { LimitReached } from '../../allowance/limit.ts';

type Id = string | number;

/** The text of a response, or of an error if the response is too large. @throws when it can't be written as JSON */
export const answerText = (response: object, id: Id, allowance: Allowance): string =>
  boundedText(jsonText(response), id, allowance);

/** The text, or that of an error if it is too large. */
export function boundedText(text: string, id: Id, allowance: Allowance): string {
  const { maxAnswerBytes: most } = allowance.limits;
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return text;
  return errorText(id, INTERNAL_ERROR, allowance.reached('MAX_ANSWER_BYTES', most));
}

/** The text of an error that names the limit that was reached. */
export const errorText = (id: Id, code: number, reached: LimitReached): string =>
  jsonText({ jsonrpc: '2.0', id, error: { code, ...reached } });

/** The text of a successful response around the text of its result. */
export const resultText = (id: Id, result: string): string =>
  `{"jsonrpc":"2.0","id":${typeof id === 'number' ? id : jsonText(id)},"result":${result}}`;
