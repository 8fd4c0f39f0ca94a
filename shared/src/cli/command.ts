/** Owns the type of a command: its name, its parameters and options, and its function. */

import type { Output } from '../service.ts';
import type { Environment } from '../settings/config.ts';

export interface Option {
  readonly type: 'boolean' | 'string';
  /** May be given more than once. */
  readonly multiple?: true;
  /** Placeholder for the value of a string in the help, such as `url`. */
  readonly value?: string;
  readonly doc: string;
}

export interface Invocation {
  /** By the names of the command's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Further arguments. */
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
  /** More details, for the help of this command only. */
  readonly details?: string;
  /** Names of the required arguments, in order. */
  readonly parameters?: readonly string[];
  /** Name of the arguments that may follow, any number of times. */
  readonly rest?: string;
  readonly options?: Readonly<Record<string, Option>>;
  /**
   * @returns the exit status; `undefined` for a process that keeps running
   * @throws StartError for a problem that the operator can fix, UsageError for a command line that is not understood
   */
  run(invocation: Invocation): Promise<number | undefined>;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly (Command | CommandGroup)[];
  /** The command that runs if none is named. */
  readonly default?: string;
}

/** A mistake in the command line; the usage is shown with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
