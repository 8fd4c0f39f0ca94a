/**
 * Owns the removal of members that a serializer writes although they are absent: null from serializers that write
 * every member of a class, `[]` from PHP for an empty object. The schema of MCP allows neither; both are read as
 * absent (JSON-RPC 2.0 §4).
 */
import { CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server';

type Json = Record<string, unknown>;

/** Members that are objects wherever they occur in a message. */
const OBJECTS: ReadonlySet<string> = new Set([
  'params', '_meta', 'arguments', 'capabilities', 'clientInfo', 'context', 'ref', 'argument', 'inputResponses',
  'result', CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY,
]); // biome-ignore format: one list

/** Members whose own members are objects on every level. */
const CAPABILITIES: ReadonlySet<string> = new Set(['capabilities', CLIENT_CAPABILITIES_META_KEY]);

/** The content of these belongs to a tool or a model, for which null may have a meaning. */
const FOREIGN: ReadonlySet<string> = new Set(['input', 'structuredContent']);
const FOREIGN_IN_CALLS: ReadonlySet<string> = new Set([...FOREIGN, 'arguments']);

/** Removes absent members from a message in place. The arguments of a tool are left to the tool. */
export function dropAbsent(message: unknown): void {
  if (!isObject(message)) return;
  const { id, method, result, error } = message;
  drop(message, method === 'tools/call' ? FOREIGN_IN_CALLS : FOREIGN);
  // Without its id a request would run without an answer, so the id is only removed from messages that must be
  // notifications.
  if (id === null && !isNotification(method)) message.id = id;
  // A null result is still a response: the sender of the request must not wait for another one.
  if (result === null && (error ?? method ?? undefined) === undefined) message.result = {};
  if (method === 'initialize' && isObject(message.params)) message.params.capabilities ??= {};
}

const isNotification = (method: unknown): boolean => typeof method === 'string' && method.startsWith('notifications/');

/** @param holdsObjects whether every member is an object, on all levels */
function drop(object: Json, foreign: ReadonlySet<string>, holdsObjects = false): void {
  for (const name in object) {
    const value = object[name];
    if (value === null) delete object[name];
    else if (Array.isArray(value)) {
      if (value.length === 0 && (holdsObjects || OBJECTS.has(name) || isForm(object, name))) object[name] = {};
      for (const item of value) if (isObject(item)) drop(item, foreign);
    } else if (typeof value === 'object' && !foreign.has(name)) {
      drop(value as Json, foreign, holdsObjects || CAPABILITIES.has(name));
    }
  }
}

/** The content of a form; the content of other results is a list. */
const isForm = (object: Json, name: string): boolean => name === 'content' && 'action' in object;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
