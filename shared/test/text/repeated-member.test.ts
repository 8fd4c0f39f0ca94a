/** Proves that a member which an object of JSON has twice is found wherever it is, and that nothing else is taken for one (RFC 8259 §4). */
import { describe, expect, it } from 'vitest';
import { repeatedMember } from '../../src/text/repeated-member.ts';

describe('RFC 8259 §4 a member that an object has twice', () => {
  it.each([
    ['{"a": 1, "a": 2}', 'a'],
    ['{"a": 1, "\\u0061": 2}', 'a'],
    ['{"a":{"b":1},"c":[{"d":1},{"d":1,"e":{},"d":2}]}', 'd'],
    ['{"a":{"x":{}},"b":1,"a":{}}', 'a'],
    ['{"":1,"":2}', ''],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"a\\"":1,"b":"}","a\\""\n:2}', 'a"'],
  ])('%s has %j twice', (json, name) => expect(repeatedMember(json)).toBe(name));

  it.each([
    '{"a": {"a": {"a": []}}}',
    '[{"a": 1}, {"a": 2}]',
    '{"a": "a", "b": ["a", "a", "b"]}',
    '{"a": "\\"b\\": {", "b": "}\\\\", "c": "[\\"b\\":"}',
    '{"a": "one: two", "b": ":"}',
    '{"A": 1, "a": 2}',
    '"a"',
    '5',
  ])('%s has none', (json) => expect(repeatedMember(json)).toBeUndefined());

  it.each(['', '{', '{"a":1,"a":2', 'corp,corp', '{"a":1,"a":}'])('%j is not JSON, and others say so', (text) =>
    expect(repeatedMember(text)).toBeUndefined(),
  );
});
