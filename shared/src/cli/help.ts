/** Owns the help: it is generated from the table of commands, so the two always agree. */
import type { Command, CommandGroup, Option } from './command.ts';
import { table } from './table.ts';

const HELP: readonly [string, string] = ['-h, --help', 'Show this help.'];

/** @param path the words that lead to the command, the program first */
export function helpOfGroup({ summary, commands, default: initial }: CommandGroup, path: readonly string[]): string {
  const rows = commands.map((command): [string, string] => [
    usageOf(command),
    command.name === initial ? `${command.summary} (the default)` : command.summary,
  ]);
  return sections(`Usage: ${path.join(' ')} <command>`, summary, table([...rows, HELP], '  '));
}

export function helpOfCommand(command: Command, path: readonly string[]): string {
  const { summary, details, options = {} } = command;
  const rows = Object.entries(options).map(([name, option]): [string, string] => [
    `--${name}${placeholder(option)}`,
    option.doc,
  ]);
  const usage = [...path.slice(0, -1), usageOf(command)].join(' ');
  return sections(`Usage: ${usage}`, summary, details, table([...rows, HELP], '  '));
}

/** The command as it is typed; its own help lists its options. */
function usageOf(command: Command | CommandGroup): string {
  if ('commands' in command) return `${command.name} <command>`;
  const parameters = (command.parameters ?? []).map((name) => `<${name}>`);
  const rest = command.rest ? [`[<${command.rest}>…]`] : [];
  return [command.name, ...(command.options ? ['[options]'] : []), ...parameters, ...rest].join(' ');
}

const placeholder = ({ type, value = 'text', multiple }: Option): string =>
  type === 'string' ? ` <${value}>${multiple ? '…' : ''}` : '';

const sections = (...texts: readonly (string | undefined)[]): string => `${texts.filter(Boolean).join('\n\n')}\n`;
