/** Owns what a command is: its name, what may follow it, and what it does with its terminal. */

import type { Output } from '../service.ts';
import type { Environment } from '../settings/config.ts';

export interface Option {
  readonly type: 'boolean' | 'string';
  /** May be given more than once. */
  readonly multiple?: true;
  /** What stands for the value of a string in the help, such as `url`. */
  readonly value?: string;
  readonly doc: string;
}

export interface Invocation {
  /** By the names of the command's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What followed after them. */
  readonly rest: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What else there is to know, for the help of this command alone. */
  readonly details?: string;
  /** Names of what has to follow, in order. */
  readonly parameters?: readonly string[];
  /** Name of what may follow after that, any number of times. */
  readonly rest?: string;
  readonly options?: Readonly<Record<string, Option>>;
  /**
   * @returns the exit status; `undefined` for a process that lives on
   * @throws StartError for what the operator can mend, UsageError for what was not understood
   */
  run(invocation: Invocation): Promise<number | undefined>;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly (Command | CommandGroup)[];
  /** What runs where nothing is named. */
  readonly default?: string;
}

/** The caller's mistake; the usage is shown with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
