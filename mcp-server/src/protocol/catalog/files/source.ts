/**
 * Owns the recognition of definitions: which default exports are a tool, a resource, a template of resources or a
 * prompt.
 */
import { SCOPE_TOKEN } from '@mcp-oauth/shared/contract';
import { normalUri } from '@mcp-oauth/shared/network/normal-uri';
import { nearest, unknownMember } from '@mcp-oauth/shared/text/nearest';
import { z } from 'zod';
import { isRecord, kindOf } from '../../author-fault.ts';
import type { JsonSchemaTool, Prompt, Resource, ResourceTemplate, Tool } from '../../define.ts';
import { strayMember } from '../../members.ts';
import { normalTemplate } from '../uri-template.ts';

export const KINDS = ['tool', 'resource', 'prompt'] as const;

/** The middle part of a file name: `<name>.<kind>.ts`. */
export type Kind = (typeof KINDS)[number];

interface Definitions {
  readonly tool: Tool | JsonSchemaTool;
  readonly resource: Resource | ResourceTemplate;
  readonly prompt: Prompt;
}

export type AnyTool = Definitions['tool'];

/** A definition and its file, for messages. */
export type Source = {
  readonly [K in Kind]: { readonly kind: K; readonly value: Definitions[K]; readonly from: string };
}[Kind];

const DESCRIBED = ['name', 'title', 'description'];
const COMMON = [...DESCRIBED, 'scope'];

/** The members of each kind. Any other member is refused: a misspelt `scope` would leave the tool unprotected. */
const MEMBERS: Readonly<Record<Kind, ReadonlySet<string>>> = {
  tool: new Set([
    ...COMMON,
    'input',
    'output',
    'inputSchema',
    'outputSchema',
    'annotations',
    'audit',
    'upstream',
    'run',
  ]),
  resource: new Set([...COMMON, 'uri', 'uriTemplate', 'mimeType', 'complete', 'read']),
  prompt: new Set([...COMMON, 'arguments', 'complete', 'render']),
};

const CHECKS: Readonly<Record<Kind, (value: Fields) => string | undefined>> = {
  tool: (value) => {
    const { input, output, inputSchema, outputSchema } = value;
    if (input !== undefined && !(input instanceof z.ZodObject)) return 'its input is not an object schema of zod 4';
    if (output !== undefined && !(output instanceof z.ZodObject)) return 'its output is not an object schema of zod 4';
    const mixed = [input ?? output, inputSchema ?? outputSchema].every((given) => given !== undefined);
    if (mixed) return 'it mixes zod with JSON Schema';
    const zod = Object.entries({ inputSchema, outputSchema }).find(([, schema]) => schema instanceof z.ZodType);
    if (zod) return `its ${zod[0]} is a schema of zod: give it as ${zod[0].replace('Schema', '')}`;
    if (input === undefined && inputSchema === undefined) return 'it has neither an input nor an inputSchema';
    return flawOfAnnotations(value.annotations) ?? flawOfUpstream(value.upstream) ?? lacks(value, 'run');
  },
  resource: (value) => {
    const at = ['uri', 'uriTemplate'].filter((name) => typeof value[name] === 'string');
    if (at.length !== 1) return 'it needs either a uri or a uriTemplate';
    if (value.mimeType !== undefined && typeof value.mimeType !== 'string') return 'mimeType has to be a string';
    if (at[0] === 'uri' && value.complete !== undefined)
      return 'complete is only for a uriTemplate, which has variables';
    return flawOfCompletions(value.complete) ?? lacks(value, 'read');
  },
  prompt: (value) =>
    value.arguments === undefined || value.arguments instanceof z.ZodObject
      ? (flawOfCompletions(value.complete) ?? lacks(value, 'render'))
      : 'its arguments are not an object schema of zod 4',
};

/** MCP server/tools, `ToolAnnotations`. */
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'];
const ANNOTATIONS: ReadonlySet<string> = new Set(['title', ...HINTS]);

function flawOfAnnotations(annotations: unknown): string | undefined {
  if (annotations === undefined) return undefined;
  if (!isRecord(annotations)) return 'annotations has to be an object';
  const stray = strayMember(annotations, ANNOTATIONS);
  if (stray !== undefined) return `annotations: ${stray}`;
  if (!['undefined', 'string'].includes(typeof annotations.title)) return 'annotations.title has to be a string';
  const odd = HINTS.find((hint) => !['undefined', 'boolean'].includes(typeof annotations[hint]));
  return odd && `annotations.${odd} has to be true or false`;
}

function flawOfCompletions(complete: unknown): string | undefined {
  if (complete === undefined) return undefined;
  if (!isRecord(complete)) return 'complete has to be an object with a function for each name';
  const odd = Object.keys(complete).find((name) => typeof complete[name] !== 'function');
  return odd === undefined ? undefined : `complete.${odd} has to be a function`;
}

/** An empty or misspelt one would be offered without its upstream. */
function flawOfUpstream(upstream: unknown): string | undefined {
  const names: readonly unknown[] = upstream === undefined ? [] : [upstream].flat();
  const isNamed = names.every((name) => typeof name === 'string' && name !== '');
  return isNamed ? undefined : 'upstream has to be the id of an upstream, or a list of them';
}

type Fields = Readonly<Record<string, unknown>>;

const lacks = (value: Fields, method: string) =>
  typeof value[method] === 'function' ? undefined : `it has no function ${method}`;

/**
 * Checks that a default export is of the kind that its file name says.
 * @throws TypeError with the reason why it is not
 */
export function readSource(kind: Kind, value: unknown, from: string): Source {
  const flaw = flawOf(kind, value);
  if (flaw) throw new TypeError(`it does not export a ${kind} as default: ${flaw}`);
  return { kind, value, from } as Source;
}

function flawOf(kind: Kind, value: unknown): string | undefined {
  if (!isRecord(value)) return `it is ${kindOf(value)} instead of an object`;
  const fields: Fields = value;
  const stray =
    strayMember(value, MEMBERS[kind]) ?? hiddenStray(value, MEMBERS[kind]) ?? inheritedStray(value, MEMBERS[kind]);
  if (stray !== undefined) return stray;
  const missing = DESCRIBED.find((name) => typeof fields[name] !== 'string');
  if (missing)
    return fields[missing] === undefined
      ? `it has no ${missing}`
      : `${missing} has to be a string, and is ${kindOf(fields[missing])}`;
  return ('scope' in value ? flawOfScope(value.scope) : undefined) ?? CHECKS[kind](fields);
}

/** Members that a loop does not see: those that are not enumerable, and symbols. */
function hiddenStray(value: object, known: ReadonlySet<string>): string | undefined {
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'string' && !known.has(key)) return unknownMember(key, known);
    if (typeof key === 'symbol' && nearest(key.description ?? '', known)) return unknownMember(String(key), known);
  }
  return undefined;
}

/** Methods of a class may have any name, except a misspelt known one. */
function inheritedStray(value: object, known: ReadonlySet<string>): string | undefined {
  const parents = [];
  for (let at = Object.getPrototypeOf(value); at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    parents.push(at);
  const names = parents.flatMap((parent) => Object.getOwnPropertyNames(parent));
  const stray = names.find((name) => name !== 'constructor' && !known.has(name) && nearest(name, known) !== undefined);
  return stray === undefined ? undefined : unknownMember(stray, known);
}

/** The upstreams that a definition needs. @returns those of them that are not configured */
export function missingUpstreams({ kind, value }: Source, configured: ReadonlySet<string>): readonly string[] {
  return kind === 'tool' ? [value.upstream ?? []].flat().filter((name) => !configured.has(name)) : [];
}

/** The name or URI that identifies a definition among those of its kind. */
function keyOf({ kind, value }: Source): string {
  if ('uri' in value) return `${kind} ${normalUri(value.uri)}`;
  return `${kind} ${'uriTemplate' in value ? normalTemplate(value.uriTemplate) : value.name}`;
}

/**
 * Reports files with the same definition: the original can't be told from its copy, and one may lack the scope of
 * the other. A definition that is already served stays; of several new ones none is served.
 * @param served paths of the files whose definitions are served
 */
export function rivals(sources: readonly Source[], served: ReadonlySet<string>): { from: string; reason: string }[] {
  return [...Map.groupBy(sources, keyOf)].flatMap(([key, group]) => {
    const holder = group.length > 1 ? group.find(({ from }) => served.has(from)) : group[0];
    return group
      .filter((source) => source !== holder)
      .map(({ from }) => {
        const others = group.filter((other) => other.from !== from).map((other) => other.from);
        const what = key.replace(' ', 's are named ');
        const end = holder ? `${holder.from} stays` : 'none of them is served until each has a name of its own';
        return { from, reason: `two ${what}: this one and ${others.join(', ')}; ${end}` };
      });
  });
}

/**
 * An empty or invalid scope is an error, for example a variable without a value. A definition without a scope
 * leaves the member out.
 */
function flawOfScope(scope: unknown): string | undefined {
  const scopes: readonly unknown[] = Array.isArray(scope) ? scope : [scope];
  const odd = scopes.findIndex((one) => typeof one !== 'string' || !SCOPE_TOKEN.test(one));
  if (odd < 0) return undefined;
  const one = scopes[odd];
  const what = typeof one === 'string' ? JSON.stringify(one) : kindOf(one);
  return `scope has to be a scope such as "rooms:read", or a list of them, and ${Array.isArray(scope) ? 'has' : 'is'} ${what} (RFC 6749 §3.3)`;
}
