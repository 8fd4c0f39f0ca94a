/** Owns the reading of the token and of a proof: from a file or standard input, up to a limit, and without what people copy with it. */
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
  const source: Bytes = file === undefined || file === '-' ? stdin() : ofFile(file, '--token-file');
  // A terminal shows what is typed, and cuts a line off after 4,095 characters.
  if (source.isTTY) throw new UsageError(NO_TOKEN);
  const bytes = await readUpTo(source, limit + FRAME);
  const token = bytes && tokenIn(new TextDecoder().decode(bytes));
  if (token === '') throw new UsageError(NO_TOKEN);
  return token && token.length > limit ? undefined : token;
}

/** Bytes; the server refuses a proof of more than 4,096 characters. */
const LONGEST_PROOF = 16_384;

/** A proof that was copied from a request, with or without the name of its header. */
export async function readProof(file: string): Promise<string> {
  const bytes = await readUpTo(ofFile(file, '--proof'), LONGEST_PROOF);
  const proof =
    bytes &&
    new TextDecoder()
      .decode(bytes)
      .trim()
      .replace(/^dpop:\s*/i, '');
  if (!proof) throw new UsageError(`--proof: the file is ${bytes ? 'empty' : 'too large for a proof'}`);
  return proof;
}

async function* ofFile(file: string, option: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    throw new UsageError(`${option}: the file can't be read (${(error as NodeJS.ErrnoException).code})`);
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
