/** Owns what a file may define: which default exports are a tool, a resource, a template of resources or a prompt. */
import { z } from 'zod';
import type { JsonSchemaTool, Prompt, Resource, ResourceTemplate, Tool } from '../../define.ts';

export const KINDS = ['tool', 'resource', 'prompt'] as const;

/** As a file is named: `<name>.<kind>.ts`. */
export type Kind = (typeof KINDS)[number];

interface Definitions {
  readonly tool: Tool | JsonSchemaTool;
  readonly resource: Resource | ResourceTemplate;
  readonly prompt: Prompt;
}

export type AnyTool = Definitions['tool'];

/** A definition, and where it came from, for the messages. */
export type Source = {
  readonly [K in Kind]: { readonly kind: K; readonly value: Definitions[K]; readonly from: string };
}[Kind];

const DESCRIBED = ['name', 'title', 'description'];

const CHECKS: Readonly<Record<Kind, (value: Fields) => string | undefined>> = {
  tool: (value) => {
    const { input, output, inputSchema, outputSchema } = value;
    if (input !== undefined && !(input instanceof z.ZodObject)) return 'its input is no object schema of zod 4';
    if (output !== undefined && !(output instanceof z.ZodObject)) return 'its output is no object schema of zod 4';
    const mixed = [input ?? output, inputSchema ?? outputSchema].every((given) => given !== undefined);
    if (mixed) return 'it mixes zod with JSON Schema';
    if (input === undefined && inputSchema === undefined) return 'it has neither an input nor an inputSchema';
    return lacks(value, 'run');
  },
  resource: (value) => {
    const at = ['uri', 'uriTemplate'].filter((name) => typeof value[name] === 'string');
    return at.length === 1 ? lacks(value, 'read') : 'it needs either a uri or a uriTemplate';
  },
  prompt: (value) =>
    value.arguments === undefined || value.arguments instanceof z.ZodObject
      ? lacks(value, 'render')
      : 'its arguments are no object schema of zod 4',
};

type Fields = Readonly<Record<string, unknown>>;

const lacks = (value: Fields, method: string) =>
  typeof value[method] === 'function' ? undefined : `it has no function ${method}`;

/**
 * Takes a default export for what its file says it is.
 * @throws TypeError with the reason why it is not
 */
export function readSource(kind: Kind, value: unknown, from: string): Source {
  const flaw = flawOf(kind, value);
  if (flaw) throw new TypeError(`it does not export a ${kind} as default: ${flaw}`);
  return { kind, value, from } as Source;
}

function flawOf(kind: Kind, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'there is no such object';
  const fields = value as Fields;
  const missing = DESCRIBED.find((name) => typeof fields[name] !== 'string');
  if (missing) return `it has no ${missing}`;
  const scopes = [fields.scope ?? []].flat();
  if (!scopes.every((scope) => typeof scope === 'string' && SCOPE.test(scope))) return 'its scope is none';
  return CHECKS[kind](fields);
}

/** RFC 6749 §3.3 scope-token. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
