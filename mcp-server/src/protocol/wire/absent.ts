/**
 * Owns reading absent members that were written out: as null by serializers that write every member of a class, as `[]` by PHP,
 * which writes an empty object so. The schema of MCP knows neither; both say nothing, and are read as absent (JSON-RPC 2.0 §4).
 */
import { CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server';

type Json = Record<string, unknown>;

/** Members that are objects wherever they stand in a message. */
const OBJECTS: ReadonlySet<string> = new Set([
  'params', '_meta', 'arguments', 'capabilities', 'clientInfo', 'context', 'ref', 'argument', 'inputResponses',
  'result', CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY,
]); // biome-ignore format: one list

/** Their members are objects on every level. */
const CAPABILITIES: ReadonlySet<string> = new Set(['capabilities', CLIENT_CAPABILITIES_META_KEY]);

/** What is in these belongs to a tool or to a model, for whom null may mean something. */
const FOREIGN: ReadonlySet<string> = new Set(['input', 'structuredContent']);
const FOREIGN_IN_CALLS: ReadonlySet<string> = new Set([...FOREIGN, 'arguments']);

/** Takes out of a message, which is changed, what says nothing. The arguments of a tool are the tool's own to judge. */
export function dropAbsent(message: unknown): void {
  if (!isObject(message)) return;
  const { id, method, result, error } = message;
  drop(message, method === 'tools/call' ? FOREIGN_IN_CALLS : FOREIGN);
  // A request without its id would run without an answer: only what can be nothing else is taken for a notification.
  if (id === null && !isNotification(method)) message.id = id;
  // An answer that says nothing is one all the same: whoever has asked must not wait for another.
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

/** What a person has filled in; the content of other results is a list. */
const isForm = (object: Json, name: string): boolean => name === 'content' && 'action' in object;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
