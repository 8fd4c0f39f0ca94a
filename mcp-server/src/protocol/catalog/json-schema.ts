/**
 * Owns JSON Schema of the dialect 2020-12: written from zod, or brought by an author and compiled for validation (MCP basic,
 * "JSON Schema Usage"). Nothing is ever fetched: a `$ref` has to lead to a place within its schema.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import type { JsonSchema } from '../define.ts';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Without `$schema`: an absent one means 2020-12, and every list gets shorter. */
export function objectSchema(schema: z.ZodObject, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, '~standard': __, ...rest } = z.toJSONSchema(schema, { io }) as Record<string, unknown>;
  return { ...rest, type: 'object' };
}

/** @returns what is wrong with a value, in words; nothing when it is valid */
export type Check = (value: unknown) => string | undefined;

/** Gives a compiler that can be used for many schemas. */
export function createSchemaCompiler(): (schema: JsonSchema) => Check {
  // Not all errors: a hostile value could have hundreds of thousands. Keywords it does not know are for others to read.
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  formats.default(ajv);
  return (schema) => {
    const { $schema: dialect = DIALECT, type } = schema as { readonly $schema?: unknown; readonly type?: unknown };
    if (dialect !== DIALECT) throw new TypeError(`the dialect ${dialect} is not supported, only ${DIALECT}`);
    if (type !== 'object') throw new TypeError('the schema has to be of the type object');
    const valid = compile(ajv, schema);
    return (value) => (valid(value) ? undefined : explain(valid.errors?.[0]));
  };
}

/** Forgets the schema again: another may have the same `$id`. */
function compile(ajv: Ajv2020, schema: JsonSchema): ValidateFunction {
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
