/** Owns unexpected JSON values: of every type, empty, huge, deep, and with names of object properties. */

/** As JSON text, since JavaScript cannot hold some of them. */
export const ODD_VALUES: readonly string[] = [
  'null', 'true', 'false', '0', '-1', '1.5', '1e400', '-1e400', '9007199254740993', '1700000000',
  '""', '" "', '"x"', '"null"', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"__proto__"', '"constructor"', '"a\\nb"',
  '[]', '[null]', '[[]]', '["x",5,{}]', '[""]', '["\\ud800"]', '{}', '{"x":null}', '{"toString":1,"valueOf":2}',
  '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{}}}', '{"then":5}', '{"length":-1}', '{"jkt":null}', '{"jkt":["x"]}',
  `${'['.repeat(1_000)}${']'.repeat(1_000)}`, `${'{"x":'.repeat(500)}1${'}'.repeat(500)}`, `"${'x'.repeat(3_000)}"`,
]; // biome-ignore format: one list

/** A JSON object as text, with one member replaced, duplicated, or added. */
export function withMember(members: Readonly<Record<string, unknown>>, name: string, value: string): readonly string[] {
  const { [name]: former, ...others } = members;
  const written = Object.entries(others).flatMap(([key, other]) =>
    other === undefined ? [] : [`${JSON.stringify(key)}:${JSON.stringify(other)}`],
  );
  const member = `${JSON.stringify(name)}:${value}`;
  const good = former === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify(former)}`];
  const object = (...all: readonly string[]) => `{${all.join(',')}}`;
  const plain = object(...written, member);
  return good.length === 0
    ? [plain]
    : [plain, object(...written, ...good, member), object(member, ...written, ...good)];
}
