/**
 * Owns the conversion of a zod schema to a form, and of the answer to a value: MCP elicitation supports one flat
 * object of strings, numbers, booleans and choices, and only some keywords of JSON Schema.
 */
import {
  type ClientCapabilities,
  type ElicitRequestFormParams,
  ElicitResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import { AuthorFault } from '../../author-fault.ts';
import type { ClientRequest } from '../../call.ts';
import { objectSchema } from '../../catalog/json-schema.ts';
import { type Elicited, ToolError } from '../../define.ts';

type Form = ElicitRequestFormParams['requestedSchema'];
type Ask = <T>(request: ClientRequest, schema: z.ZodType<T>) => Promise<T>;
type Property = Readonly<Record<string, unknown>>;

interface Question<S> {
  readonly message: string;
  readonly schema: S;
  readonly key: string | undefined;
}

/** An empty elicitation capability includes forms; one with only `url` does not. */
export function canFillForms({ elicitation }: ClientCapabilities): boolean {
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** @throws ToolError when the client does not respond, or its response does not match the question */
export async function elicit<S extends z.ZodObject>(
  ask: Ask,
  { message, schema, key }: Question<S>,
): Promise<Elicited<z.infer<S>>> {
  const params = { message, requestedSchema: formOf(schema) };
  const answer = await ask({ method: 'elicitation/create', params, ...(key && { key }) }, ElicitResultSchema);
  if (answer.action !== 'accept') return { action: answer.action };
  const content = schema.safeParse(answer.content ?? {});
  if (!content.success) throw new ToolError('The answer does not match the question.');
  return { action: 'accept', content: content.data };
}

/** Cached, as questions are asked repeatedly with the same schema. */
const forms = new WeakMap<z.ZodObject, Form>();

function formOf(schema: z.ZodObject): Form {
  const known = forms.get(schema);
  if (known) return known;
  const { properties, required } = objectSchema(schema, 'input') as { properties?: object; required?: string[] };
  const fields = Object.entries(properties ?? {}).map(([name, property]) => [name, field(name, property)]);
  const form = { type: 'object', properties: Object.fromEntries(fields), ...(required && { required }) } as Form;
  forms.set(schema, form);
  return form;
}

const ANNOTATIONS = ['type', 'title', 'description', 'default'];
/** The keywords of each type that a form supports; the others are checked when the answer comes. */
const KEYWORDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['string', ['minLength', 'maxLength', 'format', 'enum', 'enumNames', 'oneOf']],
  ['number', ['minimum', 'maximum']],
  ['integer', ['minimum', 'maximum']],
  ['boolean', []],
  ['array', ['minItems', 'maxItems', 'items']],
]);
const FORMATS: ReadonlySet<unknown> = new Set(['email', 'uri', 'date', 'date-time']);

/** @throws AuthorFault for a member that a form can't represent */
function field(name: string, given: Property): Property {
  const property = given.type === 'array' ? { ...given, items: choices(given.items as Property) } : single(given);
  const keywords = KEYWORDS.get(property.type);
  const open = property.type === 'array' && !property.items;
  if (!keywords || open) {
    throw new AuthorFault(
      `"${name}" can't be asked for: an elicitation takes strings, numbers, booleans and choices of strings`,
    );
  }
  return Object.fromEntries(
    Object.entries(property).filter(
      ([keyword, value]) =>
        [...ANNOTATIONS, ...keywords].includes(keyword) && (keyword !== 'format' || FORMATS.has(value)),
    ),
  );
}

/** A choice of one value: with titles it is `oneOf` (SEP-1330), which zod writes as `anyOf` for a union of literals. */
function single(property: Property): Property {
  const { anyOf, oneOf = anyOf, const: only, ...rest } = property;
  if (only !== undefined) return { ...rest, enum: [only] };
  const titled = titledChoices(oneOf);
  return titled ? { ...rest, type: 'string', oneOf: titled } : property;
}

/** A choice of several values. */
function choices({ type, enum: plain, anyOf, oneOf = anyOf }: Property = {}): Property | undefined {
  const titled = titledChoices(oneOf);
  if (titled) return { anyOf: titled };
  return type === 'string' && plain ? { type, enum: plain } : undefined;
}

function titledChoices(members: unknown): readonly Property[] | undefined {
  if (!Array.isArray(members) || members.length === 0) return undefined;
  if (!members.every((member) => typeof member?.const === 'string')) return undefined;
  return members.map(({ const: value, title = value }) => ({ const: value, title }));
}
