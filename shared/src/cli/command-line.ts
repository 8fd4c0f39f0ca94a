/**
 * Owns how a command line is parsed and its exit status: 0 for success, 1 with the reason for a failure, 2 with the usage for a
 * command line that is not understood.
 */
import { parseArgs } from 'node:util';
import { HttpError, StartError } from '../errors.ts';
import type { Terminal } from '../service.ts';
import { type Command, type CommandGroup, type Invocation, UsageError } from './command.ts';
import { helpOfCommand, helpOfGroup } from './help.ts';

const HELP = new Set(['--help', '-h']);

/** @returns the exit status; `undefined` for a process that keeps running */
export async function runCommandLine(root: CommandGroup, terminal: Terminal): Promise<number | undefined> {
  const { command, path, rest } = find(root, terminal.arguments);
  const help = 'commands' in command ? helpOfGroup(command, path) : helpOfCommand(command, path);
  if (rest.some((word) => HELP.has(word))) {
    terminal.stdout.write(help);
    return 0;
  }
  try {
    if ('commands' in command)
      throw new UsageError(rest[0] ? `there is no command ${quote(rest[0])}` : 'no command given');
    return await command.run(read(command, rest, terminal));
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.stderr.write(`${root.name}: ${error.message}\n\n${help}`);
      return 2;
    }
    terminal.stderr.write(`${reasonOf(error).replace(/^/gm, `${root.name}: `)}\n`);
    return 1;
  }
}

interface Found {
  readonly command: Command | CommandGroup;
  readonly path: readonly string[];
  readonly rest: readonly string[];
}

/** Descends the tree of commands as far as the words match. */
function find(group: CommandGroup, words: readonly string[], path: readonly string[] = [group.name]): Found {
  const name = words.length === 0 ? group.default : words[0];
  const command = group.commands.find((candidate) => candidate.name === name);
  if (!command) return { command: group, path, rest: words };
  const rest = words.slice(1);
  const deeper = [...path, command.name];
  return 'commands' in command ? find(command, rest, deeper) : { command, path: deeper, rest };
}

function read(command: Command, words: readonly string[], { env, stdout, stderr }: Terminal): Invocation {
  const { values, positionals } = parse(command, words);
  const names = command.parameters ?? [];
  const missing = names[positionals.length];
  if (missing) throw new UsageError(`<${missing}> is missing`);
  const rest = positionals.slice(names.length);
  const [extra] = command.rest ? [] : rest;
  if (extra !== undefined) throw new UsageError(`unexpected argument ${quote(extra)}`);
  const parameters = Object.fromEntries(names.map((name, n) => [name, positionals[n] ?? '']));
  return { parameters, rest, options: values, env, stdout, stderr };
}

/** An id of 128 bits or more that begins with a hyphen, and no option: those have short names, or are known. */
const ID = /^-(?:[A-Za-z0-9_][\w-]{19,}|-[\w-]{41})$/;

/** Stands before such an id while the options are read. */
const SHIELD = '\0';

const unshielded = (value: string): string => (value.startsWith(SHIELD) ? value.slice(SHIELD.length) : value);

function parse({ options = {} }: Command, words: readonly string[]) {
  const known = Object.entries(options).map(([name, { type, multiple }]) => [
    name,
    { type, multiple: multiple ?? false },
  ]);
  const isId = (word: string) => ID.test(word) && !Object.hasOwn(options, word.slice(2));
  const args = words.map((word) => (isId(word) ? SHIELD + word : word));
  try {
    const { values, positionals } = parseArgs({ args, options: Object.fromEntries(known), allowPositionals: true });
    const given = Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' ? unshielded(value) : Array.isArray(value) ? value.map(String).map(unshielded) : value,
    ]);
    return { values: Object.fromEntries(given) as typeof values, positionals: positionals.map(unshielded) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const said = message.split('. ')[0];
    // A short name may begin with a hyphen.
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
      throw new UsageError(`${said}; put arguments that begin with a hyphen after --`);
    if (code?.startsWith('ERR_PARSE_ARGS_')) throw new UsageError(said);
    throw error;
  }
}

/** Characters of an argument that are repeated: a longer one may be a token or a secret at the wrong place. */
const REPEATED = 24;

/** Quotes as JSON, so that no control character of an argument reaches the terminal. */
const quote = (word: string): string =>
  JSON.stringify(word.length > REPEATED ? `${[...word].slice(0, REPEATED / 4).join('')}…` : word);

function reasonOf(error: unknown): string {
  if (error instanceof StartError) return error.message;
  if (error instanceof HttpError) return `${error.message} (${error.reason})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
