/**
 * Owns a tool as it is served: its schemas and validators, created at start, and the detection of errors in its
 * definition.
 */
import type { z } from 'zod';
import { AuthorFault, isRecord, parsed, wrongType } from '../author-fault.ts';
import type { Context, JsonSchema, Tool, ToolResult } from '../define.ts';
import { type ParameterHeader, parameterHeaders } from '../wire/parameter-headers.ts';
import type { AnyTool } from './files/source.ts';
import { type createSchemaCompiler, objectSchema } from './json-schema.ts';
import type { Entry } from './listing.ts';

/** A tool as `tools/list` shows it. */
interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema?: JsonSchema;
  readonly annotations?: NonNullable<Tool['annotations']>;
}

type Arguments = Readonly<Record<string, unknown>>;

/** The arguments as the tool takes them, or the problems with the arguments that came. */
export type Checked = { readonly input: Arguments } | { readonly problems: readonly string[] };

export interface ToolEntry extends Entry {
  readonly listed: ListedTool;
  /** The arguments that clients repeat in headers (2026-07-28). */
  readonly headers: readonly ParameterHeader[];
  /** Names of its arguments. */
  readonly takes: readonly string[];
  /** Names of the arguments that the audit may show. */
  readonly audit: readonly string[];
  check(given: Arguments): Checked;
  /** The types of mounted files are not checked, so the result may be any value. */
  run(input: Arguments, context: Context): Promise<ToolResult> | ToolResult;
  /**
   * The structured data for the client.
   * @throws AuthorFault when the data does not match the tool's own output schema
   */
  structured(value: unknown): Readonly<Record<string, unknown>> | undefined;
}

type Compile = ReturnType<typeof createSchemaCompiler>;

interface Schemas extends Pick<ToolEntry, 'check' | 'structured'> {
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema | undefined;
}

/** @throws TypeError when the tool can't be offered */
export function toolEntry(tool: AnyTool, compile: Compile): ToolEntry {
  const { name, title, description, annotations, scope } = tool;
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(name)) throw new TypeError(`"${name}" is not a valid name for a tool`);
  const { inputSchema, outputSchema, check, structured } = schemasOf(tool, compile);
  const takes = Object.keys((inputSchema.properties ?? {}) as object);
  const shown = { ...(outputSchema && { outputSchema }), ...(annotations && { annotations }) };
  return {
    key: name,
    scopes: [scope ?? []].flat(),
    listed: { name, title, description, inputSchema, ...shown },
    headers: parameterHeaders(inputSchema),
    takes,
    audit: auditOf(tool, takes),
    check,
    // `check` has ensured that the arguments match this tool.
    run: (input, context) => tool.run(input as never, context),
    structured,
  };
}

/** A misspelt name would leave out of the audit what its author wants there. */
function auditOf({ name, audit = [] }: AnyTool, takes: readonly string[]): readonly string[] {
  if (!Array.isArray(audit)) throw new TypeError(`audit of ${name} has to be a list of argument names`);
  const stray = audit.find((one) => !takes.includes(one));
  if (stray !== undefined)
    throw new TypeError(`audit of ${name} names ${JSON.stringify(stray)}, which it does not take`);
  return audit;
}

function schemasOf(tool: AnyTool, compile: Compile): Schemas {
  try {
    return isZod(tool) ? zodSchemas(tool) : jsonSchemas(tool.inputSchema, tool.outputSchema, compile);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new TypeError(`the schemas of ${tool.name} can't be written as JSON Schema: ${reason}`, { cause });
  }
}

const isZod = (tool: AnyTool): tool is Tool => 'input' in tool && tool.input !== undefined;

/** A longer list would not help. */
const MOST_PROBLEMS = 20;

/** Models invent arguments: unknown ones are refused, unless the tool accepts any. */
function zodSchemas(tool: Tool): Schemas {
  const input = tool.input.def.catchall ? tool.input : tool.input.strict();
  const { output } = tool;
  return {
    inputSchema: objectSchema(input, 'input'),
    outputSchema: output && objectSchema(output, 'output'),
    check: (given) => {
      const { success, data, error } = parsed(input, given, 'input');
      return success ? { input: data } : { problems: error.issues.slice(0, MOST_PROBLEMS).map(inWords) };
    },
    structured: output
      ? (value) => {
          const { success, data, error } = parsed(output, value, 'output');
          if (success) return data;
          throw unfitting(value, error.issues.slice(0, MOST_PROBLEMS).map(inWords).join('; '));
        }
      : asItIs,
  };
}

function inWords({ path, message }: z.core.$ZodIssue): string {
  const what = message.replace(/^Invalid input: /, '');
  return path.length > 0 ? `${path.join('.')}: ${what}` : what;
}

function jsonSchemas(inputSchema: JsonSchema, outputSchema: JsonSchema | undefined, compile: Compile): Schemas {
  const input = compile(inputSchema);
  const output = outputSchema && compile(outputSchema);
  return {
    inputSchema: input.schema,
    outputSchema: output?.schema,
    check: (given) => {
      const problem = input.check(given);
      return problem === undefined ? { input: given } : { problems: [problem] };
    },
    structured: output
      ? (value) => {
          const problem = output.check(value);
          if (problem !== undefined) throw unfitting(value, problem);
          return asItIs(value);
        }
      : asItIs,
  };
}

/** Clients of older revisions accept only objects as structured content. */
function asItIs(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || isRecord(value)) return value;
  throw wrongType('structured', 'an object', value);
}

const unfitting = (value: unknown, problem: string): AuthorFault =>
  value === undefined
    ? new AuthorFault('structured is missing, but the tool has an output schema')
    : new AuthorFault(`structured does not fit the output schema of the tool: ${problem}`);
