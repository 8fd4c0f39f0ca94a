/** Owns how files that settings name are read: a start must not hang on a folder, a pipe or an endless device. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { StartError } from '../errors.ts';

/** Bytes. A key, a certificate chain or a list of clients is smaller. */
const LARGEST = 1024 * 1024;

/**
 * @param name what the message calls it
 * @throws StartError when it is not a regular file that can be read, or is too large
 */
export function readSettingFile(name: string, path: string): Buffer {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new StartError(`${name} can't be read (${reason})`, { cause });
  };
  try {
    // Without O_NONBLOCK, opening a pipe waits for a writer.
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = fstatSync(file);
      if (stat.isDirectory()) return refuse('it is a folder');
      if (!stat.isFile()) return refuse('it is not a regular file');
      // The size in `stat` is not used: it may be 0 for files of the kernel.
      const content = Buffer.alloc(LARGEST + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < content.length; length += read) {
        read = readSync(file, content, length, content.length - length, null);
      }
      return length > LARGEST ? refuse(`it is larger than ${LARGEST} bytes`) : content.subarray(0, length);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    return refuse((error as NodeJS.ErrnoException).code ?? String(error), error);
  }
}
