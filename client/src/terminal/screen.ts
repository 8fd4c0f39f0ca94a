/**
 * Owns what reaches the terminal: results on standard output, everything else on standard error. Texts of servers are shown without
 * control characters (CWE-150), and tokens are not shown, even if a server repeats them (CWE-532).
 */
import type { Output } from '@mcp-oauth/shared/service';
import { visibleJson } from '@mcp-oauth/shared/text/terminal-text';
import { pictureOf } from '../qr-code/picture.ts';

export interface Screen {
  /** Whether only programs read the output. */
  readonly json: boolean;
  /** A result: a text, or in JSON a value. */
  result(text: string, value: unknown): void;
  /** For the person in front of the terminal. */
  say(text: string): void;
  /** The same without the end of the line. */
  ask(text: string): void;
  /** One line that is written again and again, until `say` or `result`. */
  redraw(line: string): void;
  /** A URL as a QR code for a camera; nothing where a person would not see one. */
  draw(url: URL): void;
  hide(secrets: readonly string[]): void;
}

/** Line ends stay, tabs become spaces. */
const clean = (text: string): string => visibleJson(text.replace(/\r\n?/g, '\n').replaceAll('\t', '    '));

/** Back to the first column, and everything up to the end of the line is erased. */
const ERASE = '\r\u001b[K';

export interface ScreenOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly json: boolean;
  /** Whether standard error is a terminal, where a line can be written again. */
  readonly isTerminal: boolean;
  /** Characters in a line of that terminal; 0 without one. */
  readonly columns: number;
  /** One line for each value, for a command that has no end. */
  readonly lines: boolean;
}

export function createScreen({ stdout, stderr, json, isTerminal, columns, lines }: ScreenOptions): Screen {
  const hidden = new Set<string>();
  let isDrawn = false;
  const safe = (text: string) => clean([...hidden].reduce((rest, secret) => rest.replaceAll(secret, '…'), text));
  const erase = () => {
    if (isDrawn) stderr.write(ERASE);
    isDrawn = false;
  };
  return {
    json,
    result: (text, value) => {
      erase();
      stdout.write(`${safe(json ? JSON.stringify(value, null, lines ? 0 : 2) : text)}\n`);
    },
    say: (text) => {
      erase();
      stderr.write(`${safe(text)}\n`);
    },
    ask: (text) => {
      erase();
      stderr.write(safe(text));
    },
    redraw: (line) => {
      const oneLine = safe(line).replaceAll('\n', ' ');
      stderr.write(isTerminal ? `${ERASE}${oneLine}` : `${oneLine}\n`);
      isDrawn = isTerminal;
    },
    draw: (url) => {
      const picture = json || !isTerminal ? undefined : pictureOf(url.href, columns);
      if (picture === undefined) return;
      erase();
      stderr.write(`${picture}\n`);
    },
    hide: (secrets) => {
      // As it is in JSON first: a quote has a backslash there.
      for (const secret of secrets) hidden.add(JSON.stringify(secret).slice(1, -1)).add(secret);
    },
  };
}
