/**
 * Owns how a QR code is drawn in a terminal: black on white whatever the theme is, because cameras expect dark modules, and two rows of
 * modules in one line of text, because a character is twice as high as it is wide.
 */
import { qrCodeOf } from './qr-code.ts';

/** Light modules on each side (ISO/IEC 18004 §6.3.8). */
const QUIET = 4;

const BLACK_ON_WHITE = '\u001b[38;5;16;48;5;231m';
const AS_BEFORE = '\u001b[0m';

const block = (isTopDark: boolean, isBottomDark: boolean): string => {
  if (isTopDark) return isBottomDark ? '█' : '▀';
  return isBottomDark ? '▄' : ' ';
};

/** @returns nothing if the text is too long, or the terminal too narrow: a line that is broken in two can't be read */
export function pictureOf(text: string, columns: number): string | undefined {
  const code = qrCodeOf(text);
  const width = (code?.length ?? 0) + 2 * QUIET;
  if (!code || width > columns) return undefined;
  const isDark = (row: number, column: number): boolean => code[row - QUIET]?.[column - QUIET] ?? false;
  const lines = Array.from({ length: Math.ceil(width / 2) }, (_, line) =>
    Array.from({ length: width }, (_, column) => block(isDark(2 * line, column), isDark(2 * line + 1, column))).join(
      '',
    ),
  );
  return lines.map((line) => `${BLACK_ON_WHITE}${line}${AS_BEFORE}\n`).join('');
}
