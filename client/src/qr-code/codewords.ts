/**
 * Owns the codewords of a QR code (ISO/IEC 18004 §7.4 to §7.6): bytes with error correction level L, in the versions 1 to 6, which hold
 * 134 bytes. A URL with a user code is shorter (RFC 8628 §3.3.1).
 */

interface Version {
  /** Codewords for data in all blocks together. */
  readonly data: number;
  readonly blocks: number;
  /** Codewords for error correction in each block. */
  readonly correction: number;
}

/** Table 9, level L, from version 1 on. */
const VERSIONS: readonly Version[] = [
  { data: 19, blocks: 1, correction: 7 },
  { data: 34, blocks: 1, correction: 10 },
  { data: 55, blocks: 1, correction: 15 },
  { data: 80, blocks: 1, correction: 20 },
  { data: 108, blocks: 1, correction: 26 },
  { data: 136, blocks: 2, correction: 18 },
];

/** The mode (4 bits) and the number of bytes (8 bits), filled up to whole bytes. */
const HEAD = 2;
const BYTE_MODE = 4;
const PADDING = [0xec, 0x11];

export interface Codewords {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** @returns nothing for a text that does not fit */
export function codewordsOf(text: string): Codewords | undefined {
  const bytes = new TextEncoder().encode(text);
  const index = VERSIONS.findIndex(({ data }) => bytes.length <= data - HEAD);
  const chosen = VERSIONS[index];
  if (!chosen) return undefined;
  const data = padded(bytes, chosen.data);
  const size = chosen.data / chosen.blocks;
  const blocks = Array.from({ length: chosen.blocks }, (_, n) => data.subarray(n * size, (n + 1) * size));
  const corrections = blocks.map((block) => correctionOf(block, chosen.correction));
  return { version: index + 1, bytes: new Uint8Array([...interleaved(blocks), ...interleaved(corrections)]) };
}

/** Mode, count, bytes and the terminator, moved by half a byte. */
function padded(bytes: Uint8Array, length: number): Uint8Array {
  const halves = [
    BYTE_MODE,
    bytes.length >> 4,
    bytes.length & 15,
    ...[...bytes].flatMap((byte) => [byte >> 4, byte & 15]),
    0,
  ];
  return Uint8Array.from({ length }, (_, n) => {
    const high = halves[2 * n];
    if (high === undefined) return PADDING[(n - halves.length / 2) % 2] ?? 0;
    return (high << 4) | (halves[2 * n + 1] ?? 0);
  });
}

const interleaved = (blocks: readonly Uint8Array[]): readonly number[] =>
  Array.from({ length: blocks[0]?.length ?? 0 }, (_, n) => blocks.map((block) => block[n] ?? 0)).flat();

/** Multiplication in GF(256) with the polynomial of the standard, x^8 + x^4 + x^3 + x^2 + 1. */
function product(a: number, b: number): number {
  let result = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    result = (result << 1) ^ ((result >> 7) * 0x11d);
    result ^= ((b >> bit) & 1) * a;
  }
  return result;
}

/** The remainder of a division by (x - 1)(x - 2)(x - 4)… (Reed-Solomon). */
function correctionOf(data: Uint8Array, degree: number): Uint8Array {
  const divisor = new Uint8Array(degree).fill(1, degree - 1);
  let root = 1;
  for (let n = 0; n < degree; n += 1) {
    for (let at = 0; at < degree; at += 1) {
      divisor[at] = product(divisor[at] ?? 0, root) ^ (divisor[at + 1] ?? 0);
    }
    root = product(root, 2);
  }
  const rest = new Uint8Array(degree);
  for (const byte of data) {
    const factor = byte ^ (rest[0] ?? 0);
    rest.copyWithin(0, 1);
    rest[degree - 1] = 0;
    for (let at = 0; at < degree; at += 1) rest[at] = (rest[at] ?? 0) ^ product(divisor[at] ?? 0, factor);
  }
  return rest;
}
