/**
 * Proves that a typing error is matched with the nearest known name, and that an unrelated word is matched with none.
 */
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/text/nearest.ts';

const KNOWN = ['name', 'title', 'description', 'scope', 'input', 'output', 'annotations', 'readOnlyHint', 'run'];

describe('the nearest known name', () => {
  it.each([
    ['scopes', 'scope'],
    ['Scope', 'scope'],
    ['socpe', 'scope'],
    ['scop', 'scope'],
    ['readonlyHint', 'readOnlyHint'],
    ['desciption', 'description'],
    ['anotations', 'annotations'],
  ])('the name nearest to %s is %s', (name, meant) => expect(nearest(name, KNOWN)).toBe(meant));

  it.each(['permissions', 'x', 'handler', ''])('the unrelated name %j has no nearest name', (name) =>
    expect(nearest(name, KNOWN)).toBeUndefined(),
  );

  it('the search can be limited to a number of edits', () => {
    expect(nearest('REGISTRATON', ['REGISTRATION'], 2)).toBe('REGISTRATION');
    expect(nearest('REGSTRTON', ['REGISTRATION'], 2)).toBeUndefined();
  });
});

describe('the distance between two texts', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
  ])('the distance between %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
