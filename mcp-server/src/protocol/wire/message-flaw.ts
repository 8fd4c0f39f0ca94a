/** Owns the description of an invalid message: which member is wrong, and what it has to be (JSON-RPC 2.0 §4, §5). */
import { isObject } from '@mcp-oauth/shared/json';

type Id = string | number;

/** The id of an invalid message, by which its sender can match the error (JSON-RPC 2.0 §5). */
export function idOf(message: unknown): Id | undefined {
  const id = typeof message === 'object' && message !== null && 'id' in message ? message.id : undefined;
  return isId(id) ? id : undefined;
}

/** The id of a request: no other message has an id that an answer could use (JSON-RPC 2.0 §5). */
export const requestIdOf = (message: unknown): Id | undefined =>
  typeof message === 'object' && message !== null && 'method' in message ? idOf(message) : undefined;

/** Maximum characters: an id is stored with every stream that answers it, and a progress token is in every event. */
const LONGEST = 1_024;

/** Half of a surrogate pair would be changed when it is sent back. */
export const isId = (id: unknown): id is Id =>
  typeof id === 'string' ? id.length <= LONGEST && id.isWellFormed() : Number.isSafeInteger(id);

const MEMBERS = {
  call: new Set(['jsonrpc', 'id', 'method', 'params']),
  answer: new Set(['jsonrpc', 'id', 'result', 'error']),
};

/** @returns why a value is not a message, as far as that can be described; nothing when no flaw was found */
export function flawOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'it has to be an object';
  const { jsonrpc, id, method } = value;
  if (jsonrpc !== '2.0') return 'jsonrpc has to be "2.0"';
  if (id === null) return 'id is null: a request needs an id, and a notification has none';
  if (id !== undefined && !isId(id)) return `id has to be a string of at most ${LONGEST} characters or an integer`;
  const kind = method === undefined ? 'answer' : 'call';
  const stray = Object.keys(value).find((name) => !MEMBERS[kind].has(name));
  if (stray !== undefined) return `${quoted(stray)} is not a member of ${kind === 'call' ? 'a request' : 'a response'}`;
  return kind === 'call' ? flawOfCall(value) : flawOfAnswer(value);
}

function flawOfCall({ method, params = {} }: Json): string | undefined {
  if (typeof method !== 'string') return 'method has to be a string';
  if (!isObject(params)) return 'params has to be an object';
  const { _meta = {} } = params;
  if (!isObject(_meta)) return 'params._meta has to be an object';
  const { progressToken } = _meta;
  if (progressToken === undefined || isId(progressToken)) return undefined;
  return `params._meta.progressToken has to be a string of at most ${LONGEST} characters or an integer`;
}

function flawOfAnswer({ result, error }: Json): string | undefined {
  if (result === undefined && error === undefined) return 'it has neither a method nor a result nor an error';
  if (result !== undefined && error !== undefined) return 'it has both a result and an error';
  if (!isObject(result ?? error)) return `${result === undefined ? 'error' : 'result'} has to be an object`;
  if (!isObject(error)) return undefined;
  if (!Number.isSafeInteger(error.code)) return 'error.code has to be an integer';
  return typeof error.message === 'string' ? undefined : 'error.message has to be a string';
}

/** A client chooses the name, which may be long. */
const quoted = (name: string): string => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);

type Json = Readonly<Record<string, unknown>>;
