/**
 * Owns what the SDK writes by itself: to standard error, because standard output is the result, and without control characters, because
 * names of a server are in it (CWE-150).
 */
import { format } from 'node:util';
import type { Output } from '@mcp-oauth/shared/service';
import { visible } from '@mcp-oauth/shared/text/terminal-text';

export function redirectConsole(console: Console, stderr: Output): void {
  for (const method of ['debug', 'log', 'info', 'warn', 'error'] as const) {
    console[method] = (...words: unknown[]) => {
      stderr.write(`client: ${visible(format(...words))}\n`);
    };
  }
}
