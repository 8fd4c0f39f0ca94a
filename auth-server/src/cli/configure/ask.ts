/** Owns the questions at a terminal: an answer that is secret is not shown. */
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { StartError } from '@mcp-oauth/shared/errors';

export interface Terminal {
  /**
   * @returns the trimmed answer, or `usual` for an empty one
   * @throws StartError if the person ends the input
   */
  ask(
    question: string,
    options?: { readonly usual?: string | undefined; readonly isSecret?: boolean },
  ): Promise<string>;
  close(): void;
}

/** `undefined` if nobody sits in front of it: then options must say everything. */
export const openTerminal = (): Terminal | undefined =>
  process.stdin.isTTY && process.stdout.isTTY ? terminalOn(process.stdin, process.stdout) : undefined;

export function terminalOn(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Terminal {
  let isHidden = false;
  const shown = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!isHidden) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: shown, terminal: true });
  const ended = new Promise<never>((_, reject) => {
    lines.once('close', () => reject(new StartError(ENDED)));
  });
  // At the end nobody waits for an answer.
  ended.catch(() => {});
  return {
    ask: async (question, { usual, isSecret = false } = {}) => {
      const words = `${question}${usual ? ` [${usual}]` : ''}: `;
      // Readline writes the whole line again with each key, so it has to know the question, unless nothing is shown.
      if (isSecret) output.write(words);
      isHidden = isSecret;
      try {
        const answer = (await Promise.race([lines.question(isSecret ? '' : words), ended])).trim();
        return answer || (usual ?? '');
      } catch (error) {
        throw (error as Error).name === 'AbortError' ? new StartError(ENDED, { cause: error }) : error;
      } finally {
        isHidden = false;
        if (isSecret) output.write('\n');
      }
    },
    close: () => lines.close(),
  };
}

const ENDED = 'cancelled: nothing was written';
