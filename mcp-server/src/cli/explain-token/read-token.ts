/** Owns the reading of the token: from a file or standard input, up to a limit, and without what people copy with it. */
import { createReadStream } from 'node:fs';
import { UsageError } from '@mcp-oauth/shared/cli/command';

export interface Bytes extends AsyncIterable<Uint8Array> {
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
}

const NO_TOKEN = 'there is no token: pipe it to standard input, or name --token-file';

/** Bytes for line ends and the name of the header beside a token. */
const FRAME = 1_024;

/**
 * @param limit bytes of the longest token
 * @returns `undefined` for more than that
 */
export async function readToken(
  file: string | undefined,
  { stdin, limit }: { readonly stdin: () => Bytes; readonly limit: number },
): Promise<string | undefined> {
  const source: Bytes = file === undefined || file === '-' ? stdin() : ofFile(file);
  // A terminal shows what is typed, and cuts a line off after 4,095 characters.
  if (source.isTTY) throw new UsageError(NO_TOKEN);
  const bytes = await readUpTo(source, limit + FRAME);
  const token = bytes && tokenIn(new TextDecoder().decode(bytes));
  if (token === '') throw new UsageError(NO_TOKEN);
  return token && token.length > limit ? undefined : token;
}

async function* ofFile(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    throw new UsageError(`--token-file: the file can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function readUpTo(source: Bytes, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tokenIn = (text: string): string => text.trim().replace(/^(authorization:\s*)?(bearer|dpop)(\s+|$)/i, '');
