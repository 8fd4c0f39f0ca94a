/** Owns the modules of a QR code (ISO/IEC 18004 §6.3, §7.7 to §7.9): where the patterns, the codewords and the mask go. */
import { type Codewords, codewordsOf } from './codewords.ts';

/** Rows from top to bottom; true is a dark module. */
export type QrCode = readonly (readonly boolean[])[];

type Mask = (row: number, column: number) => boolean;

/** §7.8.2, in the order of the standard. */
const MASKS: readonly Mask[] = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/** @returns nothing for a text that does not fit */
export function qrCodeOf(text: string): QrCode | undefined {
  const codewords = codewordsOf(text);
  if (!codewords) return undefined;
  const codes = MASKS.map((_, mask) => withMask(codewords, mask));
  const [best] = codes.map((code) => ({ code, penalty: penaltyOf(code) })).sort((a, b) => a.penalty - b.penalty);
  return best?.code;
}

function withMask({ version, bytes }: Codewords, mask: number): QrCode {
  const size = 17 + 4 * version;
  const fixed = patternsOf(size, version, mask);
  const code = fixed.map((row) => row.map((dark) => dark ?? false));
  const bits = [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, n) => ((byte >> (7 - n)) & 1) === 1));
  const isMasked = MASKS[mask] as Mask;
  let next = 0;
  for (const [row, column] of zigzag(size)) {
    const line = code[row];
    if (line && fixed[row]?.[column] === undefined) line[column] = (bits[next++] ?? false) !== isMasked(row, column);
  }
  return code;
}

/** §7.7.3: two columns at a time, from the right, up and down in turn; the column of the timing pattern is left out. */
function* zigzag(size: number): Iterable<readonly [row: number, column: number]> {
  let isUpward = true;
  for (let right = size - 1; right > 0; right -= right === 8 ? 3 : 2) {
    for (let n = 0; n < size; n += 1) {
      const row = isUpward ? size - 1 - n : n;
      yield [row, right];
      yield [row, right - 1];
    }
    isUpward = !isUpward;
  }
}

/** What does not depend on the text; undefined is a module for the codewords. */
function patternsOf(size: number, version: number, mask: number): (boolean | undefined)[][] {
  const modules: (boolean | undefined)[][] = Array.from({ length: size }, () => new Array(size).fill(undefined));
  const set = (row: number, column: number, isDark: boolean) => {
    const line = modules[row];
    if (line && column >= 0 && column < size) line[column] = isDark;
  };
  for (let n = 0; n < size; n += 1) {
    set(6, n, n % 2 === 0);
    set(n, 6, n % 2 === 0);
  }
  const square = (row: number, column: number, radius: number, isDark: (distance: number) => boolean) => {
    for (let y = -radius; y <= radius; y += 1)
      for (let x = -radius; x <= radius; x += 1) set(row + y, column + x, isDark(Math.max(Math.abs(x), Math.abs(y))));
  };
  // With the light modules around it, which are outside of the code on two sides.
  for (const [row, column] of [
    [3, 3],
    [3, size - 4],
    [size - 4, 3],
  ] as const)
    square(row, column, 4, (distance) => distance !== 2 && distance !== 4);
  if (version > 1) square(size - 7, size - 7, 2, (distance) => distance !== 1);
  const format = formatOf(mask);
  for (let n = 0; n < 15; n += 1) {
    const isDark = ((format >> n) & 1) === 1;
    const along = n < 6 ? n : n < 8 ? n + 1 : n < 9 ? 7 : 14 - n;
    set(n < 8 ? along : 8, n < 8 ? 8 : along, isDark);
    set(n < 8 ? 8 : size - 15 + n, n < 8 ? size - 1 - n : 8, isDark);
  }
  set(size - 8, 8, true);
  return modules;
}

/** §7.9: level L (01) and the mask, with a BCH code. */
function formatOf(mask: number): number {
  const data = 8 | mask;
  let rest = data;
  for (let n = 0; n < 10; n += 1) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
  return ((data << 10) | rest) ^ 0x5412;
}

/** §7.8.3: long lines, squares, what looks like a finder pattern, and too much of one colour. */
function penaltyOf(code: QrCode): number {
  const size = code.length;
  const columns = code.map((_, column) => code.map((row) => row[column] ?? false));
  const lines = [...code, ...columns].map((line) => line.map((isDark) => (isDark ? '#' : '.')).join(''));
  let penalty = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(/#{5,}|\.{5,}/g)) penalty += run.length - 2;
    penalty += 40 * [...line.matchAll(/(?=#\.###\.#\.{4}|\.{4}#\.###\.#)/g)].length;
  }
  for (let row = 1; row < size; row += 1)
    for (let column = 1; column < size; column += 1) {
      const corner = code[row]?.[column];
      const others = [code[row]?.[column - 1], code[row - 1]?.[column], code[row - 1]?.[column - 1]];
      if (others.every((other) => other === corner)) penalty += 3;
    }
  const dark = code.flat().filter(Boolean).length;
  return penalty + 10 * Math.floor(Math.abs((dark * 20) / size ** 2 - 10));
}
