/**
 * Owns a trail in a file: only appended to, and opened again when the operator has moved it away. A write that fails in the middle of
 * a line goes on there, so that no line is torn.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Sink } from '../sink.ts';

const LINE_END = 0x0a;

/** @throws Error if the file can't be opened for appending */
export async function openFileSink(path: string): Promise<Sink> {
  let file: FileHandle | undefined = await openFor(path);
  let identity = await identityOf(file);
  /** What is left of the last lines; absent: they are written. */
  let rest: Buffer | undefined;

  /** Rotated: the next line begins a new file. */
  const follow = async (): Promise<FileHandle> => {
    const current = await stat(path).then(
      ({ dev, ino }) => `${dev}:${ino}`,
      () => undefined,
    );
    if (file && current === identity) return file;
    await file?.close();
    file = undefined;
    file = await openFor(path);
    identity = await identityOf(file);
    return file;
  };
  return {
    write: async (lines) => {
      const target = rest && file ? file : await follow();
      rest ??= Buffer.from(lines.join(''));
      while (rest.length > 0) {
        const { bytesWritten } = await target.write(rest);
        rest = rest.subarray(bytesWritten);
      }
      rest = undefined;
    },
    close: async () => {
      await file?.close();
      file = undefined;
    },
  };
}

/** Others on the machine may not read it. A process that was killed may have left half a line. */
async function openFor(path: string): Promise<FileHandle> {
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    if (size === 0) return file;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer[0] !== LINE_END) await file.write('\n');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function identityOf(file: FileHandle): Promise<string> {
  const { dev, ino } = await file.stat();
  return `${dev}:${ino}`;
}
