/** Owns the questions at a terminal: an answer that is secret is not shown. */
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export interface Terminal {
  /** @returns the trimmed answer, or `usual` for an empty one */
  ask(
    question: string,
    options?: { readonly usual?: string | undefined; readonly isSecret?: boolean },
  ): Promise<string>;
  close(): void;
}

/** `undefined` if nobody sits in front of it: then options must say everything. */
export function openTerminal(): Terminal | undefined {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  let isHidden = false;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!isHidden) process.stdout.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  return {
    ask: async (question, { usual, isSecret = false } = {}) => {
      process.stdout.write(`${question}${usual ? ` [${usual}]` : ''}: `);
      isHidden = isSecret;
      const answer = (await lines.question('')).trim();
      isHidden = false;
      if (isSecret) process.stdout.write('\n');
      return answer || (usual ?? '');
    },
    close: () => lines.close(),
  };
}
