/** Owns a prompt as it is served: its arguments are text (MCP server/prompts), and its errors are found at start. */
import { z } from 'zod';
import type { Complete, Prompt } from '../define.ts';
import { objectSchema } from './json-schema.ts';
import type { Entry } from './listing.ts';
import { completions } from './resource-entry.ts';

/** An argument as `prompts/list` shows it. */
interface ListedArgument {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly required: boolean;
}

export interface PromptEntry extends Entry {
  readonly description: string;
  readonly takes: readonly string[];
  readonly arguments: z.ZodObject;
  /** The completions of the author; for an enumeration, its values. */
  readonly complete: ReadonlyMap<string, Complete>;
  render: Prompt['render'];
}

interface Property {
  readonly type?: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
}

/** @throws TypeError when the prompt can't be offered */
export function promptEntry(prompt: Prompt): PromptEntry {
  const { name, title, description } = prompt;
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(name)) throw new TypeError(`"${name}" is not a valid name for a prompt`);
  const schema = prompt.arguments ?? z.object({});
  const { properties, required } = objectSchema(schema, 'input') as {
    readonly properties?: Readonly<Record<string, Property>>;
    readonly required?: readonly string[];
  };
  const taken = Object.entries(properties ?? {});
  const listed = taken.map(([argument, property]) => listedArgument(argument, property, required));
  const takes = taken.map(([argument]) => argument);
  const choices = taken.flatMap(([argument, { enum: values }]) =>
    values ? [[argument, choose(values)] as const] : [],
  );
  return {
    key: name,
    scopes: [prompt.scope ?? []].flat(),
    listed: { name, title, description, ...(listed.length > 0 && { arguments: listed }) },
    description,
    takes,
    arguments: schema,
    complete: new Map([...choices, ...completions(prompt.complete, takes)]),
    render: (given, context) => prompt.render(given, context),
  };
}

function listedArgument(name: string, { type, title, description }: Property, required: readonly string[] = []) {
  if (type !== 'string') throw new TypeError(`the argument "${name}" of a prompt has to be a string`);
  const argument: ListedArgument = {
    name,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    required: required.includes(name),
  };
  return argument;
}

const choose =
  (values: readonly string[]): Complete =>
  (typed) =>
    values.filter((value) => value.toLowerCase().startsWith(typed.toLowerCase()));
