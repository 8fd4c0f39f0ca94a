/** Proves what counts as an object of JSON, and how deep a value is. */
import { describe, expect, it } from 'vitest';
import { isDeeper, isObject } from '../src/json.ts';

describe('a value that somebody else sent', () => {
  it.each([[{}], [{ a: [] }], [Object.create(null)]])('%j is an object', (value) => {
    expect(isObject(value)).toBe(true);
  });

  it.each([[[]], [null], [undefined], ['{}'], [7], [true]])('%j is no object', (value) => {
    expect(isObject(value)).toBe(false);
  });

  it.each([
    ['text', 0, false],
    [null, 0, false],
    [{}, 0, true],
    [[], 1, false],
    [{ a: ['x'] }, 2, false],
    [{ a: ['x'] }, 1, true],
    [[{ a: { b: 1 } }], 2, true],
  ])('%j is deeper than %i levels: %s', (value, levels, expected) => {
    expect(isDeeper(value, levels)).toBe(expected);
  });
});
