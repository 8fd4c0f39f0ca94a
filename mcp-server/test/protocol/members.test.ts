/**
 * Proves that a declaration with an unknown member is refused, with its name and the nearest known one: no protection
 * of a tool, a resource or a prompt is lost by a typing error.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { type Kind, readSource } from '../../src/protocol/catalog/files/source.ts';

const about = { name: 'x', title: 't', description: 'd' };
const tool = { ...about, input: z.object({}), run: () => ({ text: 'x' }) };
const jsonTool = { ...about, inputSchema: { type: 'object' }, run: () => ({ text: 'x' }) };
const resource = { ...about, uri: 'a:b', read: () => ({ text: 'x' }) };
const template = { ...about, uriTemplate: 'a:{b}', read: () => ({ text: 'x' }) };
const prompt = { ...about, render: () => [] };

const all: readonly (readonly [Kind, object])[] = [
  ['tool', tool],
  ['tool', jsonTool],
  ['resource', resource],
  ['resource', template],
  ['prompt', prompt],
];

describe.each(all)('a %s', (kind, value) => {
  it.each([
    ['scopes', ['admin'], 'scope'],
    ['Scope', 'admin', 'scope'],
    ['SCOPE', 'admin', 'scope'],
    ['scop', 'admin', 'scope'],
    ['socpe', 'admin', 'scope'],
    ['Title', 't', 'title'],
    ['descripton', 'd', 'description'],
  ])('a definition with %s is refused, with a suggestion of the nearest member', (name, given, meant) => {
    expect(() => readSource(kind, { ...value, [name]: given }, 'here')).toThrow(
      new RegExp(`"${name}" .*did you mean "${meant}"`),
    );
  });

  it.each(['permissions', 'requires', 'auth', 'x'])(
    'a definition with %s is refused, with the list of known members',
    (name) => {
      expect(() => readSource(kind, { ...value, [name]: 1 }, 'here')).toThrow(new RegExp(`"${name}" .*scope`));
    },
  );

  it.each([undefined, null, '', ' ', 'two words', 7, {}, [null], ['a', ''], [['a']], 'ü'])(
    'RFC 6749 §3.3 a definition with the scope %j is refused',
    (scope) => {
      expect(() => readSource(kind, { ...value, scope }, 'here')).toThrow('scope has to be a scope');
    },
  );

  it.each(['a', 'a:b', ['a', 'b']])('a definition with the scope %j is accepted', (scope) => {
    expect(readSource(kind, { ...value, scope }, 'here').value).toMatchObject({ scope });
  });

  it('a definition with an unknown non-enumerable or symbol member is refused', () => {
    const hidden = Object.defineProperty({ ...value }, 'scopes', { value: ['admin'] });
    expect(() => readSource(kind, hidden, 'here')).toThrow('did you mean "scope"');
    expect(() => readSource(kind, { ...value, [Symbol('scope')]: 'admin' }, 'here')).toThrow('Symbol(scope)');
    expect(readSource(kind, { ...value, [Symbol('of another library')]: 1 }, 'here').kind).toBe(kind);
  });

  it('a definition that is a class instance is refused when the class misnames the scope', () => {
    class Guarded {
      get scopes() {
        return ['admin'];
      }
    }
    const instance = Object.assign(new Guarded(), value);
    expect(() => readSource(kind, instance, 'here')).toThrow('did you mean "scope"');
    class Helped {
      lookUp() {}
    }
    expect(readSource(kind, Object.assign(new Helped(), value), 'here').kind).toBe(kind);
  });
});

it.each([
  ['a list', [tool]],
  ['a Promise', Promise.resolve(tool)],
  ['a Map', new Map(Object.entries(tool))],
  ['a function', () => tool],
  ['null', null],
])('a tool definition that is %s is refused as such', (what, value) => {
  expect(() => readSource('tool', value, 'here')).toThrow(`it is ${what}`);
});

describe('nested members of a definition', () => {
  it.each([
    ['tool', { ...tool, annotations: { readonlyHint: true } }, '"readonlyHint" .*did you mean "readOnlyHint"'],
    ['tool', { ...tool, annotations: { destructive: true } }, 'annotations: "destructive" .*destructiveHint'],
    ['tool', { ...tool, annotations: { readOnlyHint: 'yes' } }, 'annotations.readOnlyHint has to be true or false'],
    ['tool', { ...tool, annotations: { title: 7 } }, 'annotations.title has to be a string'],
    ['tool', { ...tool, annotations: null }, 'annotations has to be an object'],
    ['tool', { ...tool, annotations: ['readOnlyHint'] }, 'annotations has to be an object'],
    ['resource', { ...resource, mimeType: 7 }, 'mimeType has to be a string'],
    ['resource', { ...resource, complete: { b: () => [] } }, 'only for a uriTemplate'],
    ['resource', { ...template, complete: { b: ['x'] } }, 'complete.b has to be a function'],
    ['resource', { ...template, complete: () => [] }, 'complete has to be an object'],
    ['prompt', { ...prompt, complete: { a: 'x' } }, 'complete.a has to be a function'],
    ['prompt', { ...prompt, arguments: [{ name: 'a', required: true }] }, 'object schema of zod 4'],
  ] as const)('the nested members of a %s are checked: %j', (kind, value, reason) => {
    expect(() => readSource(kind, value, 'here')).toThrow(new RegExp(reason));
  });

  it('annotations of a tool may have a title (MCP server/tools)', () => {
    const annotations = { title: 'T', readOnlyHint: true, openWorldHint: false };
    expect(readSource('tool', { ...tool, annotations }, 'here').value).toMatchObject({ annotations });
  });

  it('a completion for an unknown argument is refused with the nearest name', () => {
    const stray = { ...template, complete: { bb: () => [] } };
    expect(() => createCatalog([stray])).toThrow(/complete has "bb".*"b"/);
  });
});

it('a definition that is given directly is checked as well', () => {
  expect(() => createCatalog([{ ...tool, scopes: ['admin'] } as typeof tool])).toThrow('did you mean "scope"');
});
