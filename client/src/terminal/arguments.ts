/** Owns the arguments of a tool or of a command on the command line: `key=value` with the types of the schema, and JSON. */
import { UsageError } from '@mcp-oauth/shared/cli/command';
import { isObject, type JsonObject } from '@mcp-oauth/shared/json';
import { nearest } from '@mcp-oauth/shared/text/nearest';

/** @param read gives back the text of a file; `-` is standard input */
export async function argumentsOf(
  words: readonly string[],
  schema: JsonObject,
  read: (path: string) => Promise<string>,
): Promise<JsonObject> {
  const given = new Map<string, unknown>();
  for (const word of words) {
    const isJson = word === '-' || word.startsWith('@');
    const entries = isJson ? Object.entries(await objectIn(word, read)) : [pairOf(word, schema)];
    for (const [name, value] of entries) given.set(name, value);
  }
  const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
  const missing = required.filter((name) => !given.has(name));
  if (missing.length > 0) throw new UsageError(`missing: ${missing.join(', ')}`);
  return Object.fromEntries(given);
}

async function objectIn(word: string, read: (path: string) => Promise<string>): Promise<JsonObject> {
  const text = await read(word === '-' ? '-' : word.slice(1)).catch((error: Error) => {
    throw new UsageError(`${word} can't be read (${error.message})`);
  });
  const value = parsed(text);
  if (!isObject(value)) throw new UsageError(`${word} must contain a JSON object`);
  return value;
}

function pairOf(word: string, schema: JsonObject): readonly [name: string, value: unknown] {
  const at = word.indexOf('=');
  if (at < 1) throw new UsageError(`${JSON.stringify(word)} must be key=value, @file.json or -`);
  const [name, text] = [word.slice(0, at), word.slice(at + 1)];
  const properties = isObject(schema.properties) ? schema.properties : {};
  if (!Object.hasOwn(properties, name)) {
    const names = Object.keys(properties);
    const meant = nearest(name, names);
    const known = meant === undefined ? `there is ${names.join(', ') || 'none'}` : `did you mean ${meant}?`;
    throw new UsageError(`there is no argument ${JSON.stringify(name)}: ${known}`);
  }
  return [name, typed(name, text, resolved(properties[name], schema))];
}

/** Follows a local reference once; whatever else a schema refers to has no type that could be read here. */
function resolved(property: unknown, schema: JsonObject): JsonObject {
  if (!isObject(property)) return {};
  const [, group = '', name = ''] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(String(property.$ref)) ?? [];
  const definitions = schema[group];
  const found = isObject(definitions) && Object.hasOwn(definitions, name) ? definitions[name] : property;
  return isObject(found) ? found : {};
}

type Read = (text: string) => unknown;

const READERS: Readonly<Record<string, Read>> = {
  integer: (text) => (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined),
  number: (text) => (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined),
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  null: (text) => (text === 'null' ? null : undefined),
  array: (text) => [parsed(text)].find(Array.isArray),
  object: (text) => [parsed(text)].find(isObject),
  string: (text) => text,
};

/** The order decides if a value may be of several types: 1 is a number, and a text only where no number is allowed. */
function typed(name: string, text: string, property: JsonObject): unknown {
  const allowed = typesOf(property);
  const types = Object.keys(READERS).filter((type) => allowed.includes(type));
  // A schema without a type allows everything.
  const values = types.length > 0 ? types.map((type) => READERS[type]?.(text)) : [parsed(text), text];
  const value = values.find((candidate) => candidate !== undefined);
  if (value === undefined) throw new UsageError(`${name} must be ${types.join(' or ')}, not ${JSON.stringify(text)}`);
  const choices = Array.isArray(property.enum) ? property.enum : undefined;
  if (choices && !choices.includes(value)) {
    throw new UsageError(`${name} must be one of ${choices.join(', ')}, not ${JSON.stringify(text)}`);
  }
  return value;
}

/** The types that a schema names, itself or in its alternatives. */
export function typesOf({ type, anyOf, oneOf }: JsonObject): readonly string[] {
  const alternatives = [anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? list : [])).filter(isObject);
  return [type, ...alternatives.map((alternative) => alternative.type)]
    .flat()
    .filter((name) => typeof name === 'string');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
