/**
 * Owns JSON Schema of the dialects 2020-12 and draft-07: generated from zod, or provided by an author and compiled
 * for validation (MCP basic, "JSON Schema Usage"). No schema is ever fetched: a `$ref` has to point into its own
 * schema.
 */
import { Ajv } from 'ajv';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import type { JsonSchema } from '../define.ts';
import { misspeltKeyword } from './keywords.ts';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** The dialect of most generators. */
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';

/** Without `$schema`: an absent one means 2020-12, and the lists get shorter. */
export function objectSchema(schema: z.ZodObject, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, '~standard': __, ...rest } = z.toJSONSchema(schema, { io }) as Record<string, unknown>;
  return { ...rest, type: 'object' };
}

/** @returns a description of the first error; nothing when the value is valid */
type Check = (value: unknown) => string | undefined;

interface CompiledSchema {
  /** As it is sent to clients: `$schema` has the canonical name of its dialect. */
  readonly schema: JsonSchema;
  readonly check: Check;
}

/** Creates a compiler for any number of schemas. */
export function createSchemaCompiler(): (schema: JsonSchema) => CompiledSchema {
  // Stops at the first error: a hostile value could have hundreds of thousands. Unknown keywords are allowed, as others
  // may read them.
  const options = { strict: false, allErrors: false };
  const validators = new Map<string, Ajv>();
  const validatorOf = (dialect: string): Ajv => {
    const known = validators.get(dialect);
    if (known) return known;
    const made: Ajv = dialect === DRAFT_07 ? new Ajv(options) : new Ajv2020(options);
    formats.default(made);
    validators.set(dialect, made);
    return made;
  };
  return (given) => {
    const { type } = given as { readonly type?: unknown };
    const dialect = dialectOf(given.$schema);
    if (type !== 'object') throw new TypeError('the schema has to be of the type object');
    const schema = [undefined, dialect].includes(given.$schema as string | undefined)
      ? given
      : { ...given, $schema: dialect };
    const misspelt = misspeltKeyword(given);
    if (misspelt) throw new TypeError(misspelt);
    const valid = compile(validatorOf(dialect), schema);
    return { schema, check: (value) => (valid(value) ? undefined : explain(valid.errors?.[0])) };
  };
}

/** Neither http instead of https nor an empty fragment changes the dialect (RFC 3986 §3.5). @throws TypeError */
function dialectOf(named: unknown): string {
  if (named === undefined) return DIALECT;
  const name = String(named)
    .replace(/^http:/, 'https:')
    .replace(/#$/, '');
  if (name === DIALECT) return DIALECT;
  if (name === 'https://json-schema.org/draft-07/schema') return DRAFT_07;
  throw new TypeError(`the dialect ${named} is not supported, only ${DIALECT} and ${DRAFT_07}`);
}

/** Removes the schema afterwards: another one may have the same `$id`. */
function compile(ajv: Ajv, schema: JsonSchema): ValidateFunction {
  try {
    return ajv.compile(schema);
  } finally {
    ajv.removeSchema(schema);
  }
}

function explain({ instancePath, message, keyword, params }: Partial<ErrorObject> = {}): string {
  const where = instancePath?.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const { additionalProperty, unevaluatedProperty, allowedValues } = params ?? {};
  const unknown = additionalProperty ?? unevaluatedProperty;
  const what =
    unknown !== undefined
      ? `must not have ${JSON.stringify(unknown)}`
      : keyword === 'enum'
        ? `must be one of ${JSON.stringify(allowedValues)}`
        : (message ?? 'is not valid');
  return where ? `${where}: ${what}` : what;
}
