/** Proves that a name which a reader of JSON would lose is found wherever it is, and that nothing else is taken for one (RFC 8259 §4). */
import { describe, expect, it } from 'vitest';
import { flawOfNames } from '../../src/text/member-names.ts';

describe('RFC 8259 §4 a member that an object has twice', () => {
  it.each([
    ['{"a": 1, "a": 2}', 'a'],
    ['{"a": 1, "\\u0061": 2}', 'a'],
    ['{"a":{"b":1},"c":[{"d":1},{"d":1,"e":{},"d":2}]}', 'd'],
    ['{"a":{"x":{}},"b":1,"a":{}}', 'a'],
    ['{"":1,"":2}', ''],
    ['{"a\\"":1,"b":"}","a\\""\n:2}', 'a"'],
  ])('%s has %j twice', (json, name) =>
    expect(flawOfNames(json)).toBe(`has ${JSON.stringify(name)} twice in one object: keep one`),
  );

  it.each([
    '{"a": {"a": {"a": []}}}',
    '[{"a": 1}, {"a": 2}]',
    '{"a": "a", "b": ["a", "a", "b"]}',
    '{"a": "\\"b\\": {", "b": "}\\\\", "c": "[\\"b\\":"}',
    '{"a": "one: two", "b": ":"}',
    '{"A": 1, "a": 2}',
    '{"proto": "__proto__", "a": ["__proto__"]}',
    '"a"',
    '5',
  ])('%s has none', (json) => expect(flawOfNames(json)).toBeUndefined());

  it.each(['', '{', '{"a":1,"a":2', 'corp,corp', '{"a":1,"a":}'])('%j is not JSON, and others say so', (text) =>
    expect(flawOfNames(text)).toBeUndefined(),
  );
});

it.each(['{"__proto__":{}}', '[{"a":{"__proto__":1}}]', '{"__pro\\u0074o__":1,"a":1}'])(
  'CWE-1321 %s has a member that readers leave out',
  (json) => expect(flawOfNames(json)).toBe('has the member "__proto__", which nothing may be called: remove it'),
);
