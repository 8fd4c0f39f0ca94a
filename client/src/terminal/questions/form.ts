/** Owns how a server's form is filled in on the terminal: one question for each field, until its answer fits (MCP, elicitation). */
import { isObject, type JsonObject } from '@mcp-oauth/shared/json';

export interface Form {
  readonly message: string;
  readonly schema: JsonObject;
}

/** @returns the line that the person typed; undefined if there is no more input */
export type Question = (text: string) => Promise<string | undefined>;

export type FormAnswer =
  | { readonly action: 'accept'; readonly content: Readonly<Record<string, string | number | boolean | string[]>> }
  | { readonly action: 'decline' | 'cancel' };

type Value = string | number | boolean | string[];

/** What a typed line means: a value, or what is wrong with it. */
type Reading = { readonly value: Value } | { readonly wrong: string };

/** A person may decline before any field (`n`), and cancel at any time (the end of the input). */
export async function fillIn({ message, schema }: Form, host: string, ask: Question): Promise<FormAnswer> {
  const fields = Object.entries(isObject(schema.properties) ? schema.properties : {});
  const required = Array.isArray(schema.required) ? schema.required : [];
  // A line of the server must not pass for one of this program.
  const said = message.split(/\r\n?|\n/).join('\n  > ');
  const willing = await ask(`\n${host} asks: ${said}\nAnswer? [Y/n] `);
  if (willing === undefined) return { action: 'cancel' };
  // Whatever is no yes is a no: a line of a pipe may be meant for somebody else.
  if (!/^\s*(y(es)?)?\s*$/i.test(willing)) return { action: 'decline' };
  const content: [string, Value][] = [];
  for (const [name, field] of fields) {
    if (!isObject(field)) continue;
    const answer = await askFor(name, field, required.includes(name), ask);
    if (answer === undefined) return { action: 'cancel' };
    if (answer.value !== undefined) content.push([name, answer.value]);
  }
  return { action: 'accept', content: Object.fromEntries(content) };
}

/** @returns undefined if there is no more input; no value for an optional field that is left empty */
async function askFor(name: string, field: JsonObject, isRequired: boolean, ask: Question) {
  const text = questionOf(name, field, isRequired);
  for (let wrong = ''; ; ) {
    const line = await ask(`${wrong}${text}`);
    if (line === undefined) return undefined;
    if (line.trim() === '' && field.default !== undefined) return { value: field.default as Value };
    if (line.trim() === '' && !isRequired) return { value: undefined };
    const reading = read(line, field);
    if ('value' in reading) return reading;
    wrong = `  ${reading.wrong}\n`;
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

function questionOf(name: string, field: JsonObject, isRequired: boolean): string {
  const title = oneLine(typeof field.title === 'string' ? field.title : name);
  const more =
    typeof field.description === 'string' && field.description !== title ? ` (${oneLine(field.description)})` : '';
  const choices = choicesOf(field);
  const list = choices.map(({ value, title }, n) => `  ${n + 1}. ${oneLine(title ?? value)}\n`).join('');
  const kind =
    choices.length > 0
      ? ` [${field.type === 'array' ? 'numbers with commas' : 'number'}]`
      : field.type === 'boolean'
        ? ' [y/n]'
        : '';
  const empty = field.default !== undefined ? ` [${oneLine(String(field.default))}]` : isRequired ? '' : ' [optional]';
  return `${title}${more}${list && `\n${list}`}${kind}${empty}: `;
}

interface Choice {
  readonly value: string;
  readonly title?: string;
}

/** `enum` with or without `enumNames`, `oneOf` with titles, and the same inside `items` where several may be chosen. */
function choicesOf(field: JsonObject): readonly Choice[] {
  const { enum: values, enumNames: names, oneOf, anyOf, items } = field;
  if (isObject(items)) return choicesOf(items);
  const titled = [oneOf, anyOf].find(Array.isArray)?.filter(isObject);
  if (titled) return titled.map(({ const: value, title }) => ({ value: String(value), title: String(title ?? value) }));
  if (!Array.isArray(values)) return [];
  const titles = Array.isArray(names) ? names : [];
  return values.map((value, n) => ({ value: String(value), title: String(titles[n] ?? value) }));
}

function read(line: string, field: JsonObject): Reading {
  const text = line.trim();
  const choices = choicesOf(field);
  if (choices.length > 0) return field.type === 'array' ? several(text, choices, field) : chosen(text, choices);
  if (field.type === 'boolean') {
    if (/^(y|yes|true)$/i.test(text)) return { value: true };
    return /^(n|no|false)$/i.test(text) ? { value: false } : { wrong: 'y or n' };
  }
  if (field.type === 'number' || field.type === 'integer') return numberIn(text, field);
  return textIn(line, field);
}

function chosen(text: string, choices: readonly Choice[]): Reading {
  const choice = choices[Number(text) - 1] ?? choices.find(({ value }) => value === text);
  return choice ? { value: choice.value } : { wrong: `a number from 1 to ${choices.length}` };
}

function several(text: string, choices: readonly Choice[], { minItems, maxItems }: JsonObject): Reading {
  const readings = text.split(',').map((part) => chosen(part.trim(), choices));
  const wrong = readings.find((reading) => 'wrong' in reading);
  if (wrong) return wrong;
  const value = [...new Set(readings.map((reading) => ('value' in reading ? String(reading.value) : '')))];
  if (value.length < Number(minItems ?? 0)) return { wrong: `at least ${minItems}` };
  return value.length > Number(maxItems ?? value.length) ? { wrong: `at most ${maxItems}` } : { value };
}

function numberIn(text: string, { type, minimum, maximum }: JsonObject): Reading {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) return { wrong: 'a number' };
  if (type === 'integer' && !Number.isInteger(value)) return { wrong: 'a whole number' };
  if (value < Number(minimum ?? value)) return { wrong: `at least ${minimum}` };
  return value > Number(maximum ?? value) ? { wrong: `at most ${maximum}` } : { value };
}

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  email: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => URL.canParse(text),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  'date-time': (text) => /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)),
};

function textIn(text: string, { minLength, maxLength, format }: JsonObject): Reading {
  const { length } = [...text];
  if (length < Number(minLength ?? 0)) return { wrong: `at least ${minLength} characters` };
  if (length > Number(maxLength ?? length)) return { wrong: `at most ${maxLength} characters` };
  const fits = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format]?.(text) : true;
  return fits ? { value: text } : { wrong: `a text in the format ${format}` };
}
