/** Owns where the answer to a question comes from: an option of the command, the person at the terminal, or what is set already. */
import { type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import type { Terminal } from './ask.ts';

interface Asked {
  readonly option: string;
  readonly question: string;
  readonly usual?: string | undefined;
  readonly isSecret?: boolean;
  readonly isOptional?: boolean;
  /** What is wrong with an answer, or `undefined`. */
  readonly flawOf?: ((answer: string) => string | undefined) | undefined;
}

export type Answer = (asked: Asked) => Promise<string>;

/**
 * An option answers first, then the person, then what is set already. A person is told what is wrong with an answer, and asked again.
 * The returned function throws a UsageError if nobody can be asked.
 */
export const answering =
  ({ options, stderr }: Invocation, terminal: Terminal | undefined): Answer =>
  async ({ option, question, usual, isSecret = false, isOptional = false, flawOf }) => {
    let given = options[option];
    for (;;) {
      const said = given || (await terminal?.ask(question, { usual: isSecret ? undefined : usual, isSecret }));
      given = undefined;
      const answer = typeof said === 'string' && said !== '' ? said : (usual ?? '');
      const flaw = answer === '' ? undefined : flawOf?.(answer);
      if (flaw === undefined && (answer !== '' || isOptional)) return answer;
      if (!terminal) throw new UsageError(flaw === undefined ? `--${option} is missing` : `--${option}: ${flaw}`);
      if (flaw !== undefined) stderr.write(`${flaw}\n`);
    }
  };
