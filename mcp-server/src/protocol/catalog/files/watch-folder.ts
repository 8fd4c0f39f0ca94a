/** Owns the notification that files of a folder have changed, once for a burst of changes. */
import { watch } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@mcp-oauth/shared/logger';

/** Milliseconds; editors write a file in several steps. */
const QUIET = 100;

export interface Watching {
  close(): void;
}

/** If the folder can't be watched, this is logged, and the server continues without following changes. */
export function watchFolder(folder: URL, onChange: () => Promise<void>, log: Logger): Watching {
  const path = fileURLToPath(folder);
  let timer: NodeJS.Timeout | undefined;
  const fail = (err: unknown) => log.warn({ err, folder: path }, 'folder not watched');
  const stop = () => clearTimeout(timer);
  try {
    const watcher = watch(path, { persistent: false }, () => {
      stop();
      timer = setTimeout(onChange, QUIET).unref();
    });
    watcher.on('error', fail);
    return {
      close: () => {
        stop();
        watcher.close();
      },
    };
  } catch (error) {
    fail(error);
    return { close: stop };
  }
}
