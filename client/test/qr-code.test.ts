/**
 * Proves that a QR code is the one of the standard (ISO/IEC 18004), module by module, and how it reaches a terminal. The expected codes
 * are those of node-qrcode 1.5.4 for the same bytes at level L.
 */
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pictureOf } from '../src/qr-code/picture.ts';
import { qrCodeOf } from '../src/qr-code/qr-code.ts';

const drawn = (text: string) => qrCodeOf(text)?.map((row) => row.map((isDark) => (isDark ? '#' : '.')).join(''));

const SHORT = `
#######.......#######
#.....#.#..##.#.....#
#.###.#..#..#.#.###.#
#.###.#.##.#..#.###.#
#.###.#...#...#.###.#
#.....#.#####.#.....#
#######.#.#.#.#######
..........#.#........
#####.####..##.#.#.#.
..##.#..#..#...######
##..#.#..#####....##.
..#.#..###.##...###..
#..#..######..#.##..#
........#.#..######.#
#######.#..##.##..##.
#.....#..#####..###..
#.###.#.###.#.#.##...
#.###.#.#....#.##.##.
#.###.#.#.####.#..#..
#.....#.#.#.##.##.#..
#######.###..#####.#.
`.trim();

const DEVICE = 'https://auth.example.com/device?user_code=BLWJ-HPPS';
const REALM = 'https://id.example.com/realms/staff/of/somebody/protocol/openid-connect';

describe('ISO/IEC 18004 a QR code', () => {
  it('each module is where the standard has it', () => {
    expect(drawn('http://a.example')?.join('\n')).toBe(SHORT);
  });

  it.each([
    [25, 's78f8wLIWJQ77ua2', 'http://localhost:9000/device'],
    [29, 'qkj9rKIVvV7AuJk9', DEVICE],
    [33, '5lM659muexPf1zbK', 'https://id.example.com/realms/staff/device?user_code=ABCD-EFGH'],
    [37, 'K5IsOtxxc19Kjhmc', `${REALM}/device?user_code=ABCD-EFGH`],
    [41, 'LY_WwQzIRUlEENob', `${REALM}/auth/device?user_code=ABCD-EFGH&ui_locales=de%20fr`],
    [41, 'NXMYwU9WgKUfDd70', 'w'.repeat(134)],
  ])('there are %i rows, with the digest %s, for %s', (size, digest, text) => {
    const rows = drawn(text) ?? [];
    expect([rows.length, hash('sha256', rows.join('\n'), 'base64url').slice(0, 16)]).toEqual([size, digest]);
  });

  it('a text with more than 134 bytes gets none', () => {
    expect(qrCodeOf('w'.repeat(135))).toBeUndefined();
    expect(qrCodeOf('ü'.repeat(68))).toBeUndefined();
  });
});

describe('a QR code in a terminal', () => {
  /** What a camera sees: the modules by the characters, and the colours of each line. */
  const seen = (picture: string) =>
    picture
      .trimEnd()
      .split('\n')
      .flatMap((line) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that set the colours
        const [, cells = ''] = /^\u001b\[38;5;16;48;5;231m([ ▀▄█]+)\u001b\[0m$/.exec(line) ?? [];
        return ['▀█', '▄█'].map((dark) => [...cells].map((cell) => (dark.includes(cell) ? '#' : '.')).join(''));
      });

  it('its picture is black on white with four light modules on each side, whatever the colours of the terminal', () => {
    const rows = seen(pictureOf(DEVICE, 80) ?? '');
    expect(rows).toHaveLength(38);
    expect(rows.slice(4, 33).map((row) => row.slice(4, 33))).toEqual(drawn(DEVICE));
    const around = [...rows.slice(0, 4), ...rows.slice(33), ...rows.flatMap((row) => [row.slice(0, 4), row.slice(33)])];
    expect(around.join('')).toMatch(/^\.+$/);
  });

  it('its picture is left out where a line is too short for it', () => {
    expect(pictureOf(DEVICE, 37)).toBeDefined();
    expect(pictureOf(DEVICE, 36)).toBeUndefined();
    expect(pictureOf('w'.repeat(135), 200)).toBeUndefined();
  });
});
