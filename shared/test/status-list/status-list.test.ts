/** Proves that status lists have the form of Token Status List §4, by the example of the draft and by random lists. */
import { randomBytes, randomInt } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decode, encode, isMarked, readStatusList, STATUS_WIDTHS, setBit } from '../../src/status-list/status-list.ts';

const LIMIT = 2 ** 17;

describe('Token Status List §4 the form of a list', () => {
  it('§4.1 the example of the draft has these bits, bytes and text', async () => {
    const statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    const bits = new Uint8Array(2);
    for (const [idx, status] of statuses.entries()) if (status) setBit(bits, idx);
    expect([...bits]).toEqual([0xb9, 0xa3]);
    expect(await encode(bits)).toBe('eNrbuRgAAhcBXQ');
    expect([...(await decode('eNrbuRgAAhcBXQ', LIMIT))]).toEqual([0xb9, 0xa3]);
    expect(statuses.map((_, idx) => Number(isMarked(bits, idx)))).toEqual(statuses);
  });

  it('§4.1 a list is the same after it was encoded and decoded', async () => {
    for (let round = 0; round < 20; round += 1) {
      const bits = randomBytes(randomInt(1, LIMIT));
      expect(Buffer.from(await decode(await encode(bits), LIMIT)).equals(bits)).toBe(true);
    }
  });

  it('§4.1 the example of the draft with two bits for each token has these marks', async () => {
    const statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    const { bits, entries } = await readStatusList({ bits: 2, lst: 'eNo76fITAAPfAgc' }, LIMIT);
    expect(entries).toBe(statuses.length);
    expect(statuses.map((_, idx) => isMarked(bits, idx))).toEqual(statuses.map((status) => status !== 0));
  });

  it.each(STATUS_WIDTHS)('§7 a list with %s bits for each token has a mark for each value but 0', async (width) => {
    const statuses = Array.from({ length: (64 * 8) / width }, () => randomInt(2 ** width));
    const bytes = new Uint8Array(64);
    for (const [idx, status] of statuses.entries()) {
      const place = (idx * width) >> 3;
      bytes[place] = (bytes[place] ?? 0) | (status << ((idx * width) % 8));
    }
    const { bits, entries } = await readStatusList({ bits: width, lst: await encode(bytes) }, LIMIT);
    expect(entries).toBe(statuses.length);
    expect(statuses.map((_, idx) => isMarked(bits, idx))).toEqual(statuses.map((status) => status !== 0));
  });

  it('a list is compressed outside the event loop: no number of microtasks settles it', async () => {
    const bits = randomBytes(LIMIT);
    let isSettled = false;
    const text = encode(bits).finally(() => {
      isSettled = true;
    });
    for (let turn = 0; turn < 1_000; turn += 1) await Promise.resolve();
    expect(isSettled).toBe(false);
    expect(Buffer.from(await decode(await text, LIMIT)).equals(bits)).toBe(true);
  });

  it('§8.3 an index beyond the list counts as marked', () => {
    expect(isMarked(new Uint8Array(1), 7)).toBe(false);
    expect(isMarked(new Uint8Array(1), 8)).toBe(true);
    expect(isMarked(new Uint8Array(1), 2 ** 40)).toBe(true);
  });

  it('§11 a list that becomes longer than the limit is refused before it is in memory', async () => {
    const bomb = deflateSync(Buffer.alloc(LIMIT * 1_000)).toString('base64url');
    await expect(decode(bomb, LIMIT)).rejects.toThrow();
    await expect(decode(await encode(new Uint8Array(LIMIT + 1)), LIMIT)).rejects.toThrow();
    expect((await decode(await encode(new Uint8Array(LIMIT)), LIMIT)).length).toBe(LIMIT);
  });

  it.each([
    ['an empty text', ''],
    ['base64 with padding', 'eNrbuRgAAhcBXQ=='],
    ['another alphabet', 'eNrbuRgAAhcBXQ+/'],
    ['no zlib', 'AAAA'],
    ['a zlib stream without its end', 'eNrbuRg'],
    ['a wrong checksum', 'eNrbuRgAAhcBXA'],
  ])('§4.1 a text that is no list is refused: %s', async (_, lst) => {
    await expect(decode(lst, LIMIT)).rejects.toThrow();
  });
});
