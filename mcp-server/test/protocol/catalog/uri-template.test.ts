/** Proves which URIs match a template, and with which variables (RFC 6570 §1.2, level 1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namedUri, uriTemplate } from '../../../src/protocol/catalog/uri-template.ts';

describe('RFC 6570 §1.2 templates of level 1', () => {
  it.each([
    ['notes://{id}', 'notes://7', { id: '7' }],
    ['notes://{id}', 'notes://a%2Fb%20c', { id: 'a/b c' }],
    ['notes://{id}', 'notes://caf%C3%A9', { id: 'café' }],
    ['x:{a}/{b}/end', 'x:1/2/end', { a: '1', b: '2' }],
    ['x:{name}.{kind}', 'x:a.b.txt', { name: 'a', kind: 'b.txt' }],
    ['x:{name}.txt', 'x:a.txt.txt', { name: 'a.txt' }],
    ['x:{a}{', 'x:1', 'has a brace too many'],
    ['x:{a}?q={b}', 'x:1?q=2', { a: '1', b: '2' }],
    ['notes://{id}', 'Notes://Ada', { id: 'Ada' }],
    ['Notes://{user}/{id}', 'notes://Ada/B', { user: 'Ada', id: 'B' }],
    ['file:///café/{name}', 'file:///café/a', { name: 'a' }],
    ['file:///café/{name}', 'file:///caf%C3%A9/a', { name: 'a' }],
    ['file:///café/{name}', 'file:///caf%c3%a9/a', { name: 'a' }],
    ['file:///caf%C3%A9/{name}', 'file:///café/é', { name: 'é' }],
    ['file:///my docs/{name}', 'file:///my%20docs/a', { name: 'a' }],
    ['file:///my docs/{name}', 'file:///my docs/a b', { name: 'a b' }],
    ['HTTPS://Docs.Example.com/{page}', 'https://docs.example.com/A', { page: 'A' }],
    ['https://docs.example.com/{page}', 'HTTPS://DOCS.example.com:443/A', { page: 'A' }],
    ['https://{tenant}.Example.com', 'https://acme.example.com/', { tenant: 'acme' }],
    ['https://x.example/~{user}', 'https://x.example/%7eada', { user: 'ada' }],
    ['x://a/./{b}', 'x://a/c', { b: 'c' }],
    ['x://a/{b}', 'x://a/q/../c', { b: 'c' }],
    ['x://a/{b}', 'x://a/..', { b: '..' }],
    ['note:0v0v0{a}0v0v0/{b}', 'note:0v0v010v0v0/2', { a: '1', b: '2' }],
  ])('the template %s reads %s as %j', (template, uri, expected) => {
    if (typeof expected === 'string') expect(() => uriTemplate(template)).toThrow(expected);
    else expect(uriTemplate(template).match(namedUri(uri))).toEqual(expected);
  });

  it.each([
    ['notes://{id}', 'notes://'],
    ['notes://{id}', 'notes://a/b'],
    ['notes://{id}', 'notes://a?b'],
    ['notes://{id}', 'notes://a#b'],
    ['notes://{id}', 'notes://%E9'],
    ['notes://{id}', 'notes://%'],
    ['note:{id}', 'NOTE2:1'],
    ['x:{a}/end', 'x:1/end/'],
    ['x:{a}/end', 'x:/end'],
    ['x:{a}-{b}', 'x:1'],
    ['x:{a}.txt', 'x:.txt'],
  ])('the template %s does not match %s', (template, uri) => {
    expect(uriTemplate(template).match(namedUri(uri))).toBeUndefined();
  });

  it.each([
    ['x:y', 'no variable'],
    ['x:{+path}', '{+path}'],
    ['x:{?q}', '{?q}'],
    ['x:{a,b}', '{a,b}'],
    ['x:{a*}', '{a*}'],
    ['x:{}', '{}'],
    ['x:{a}{b}', 'nothing between them'],
    ['x:{a}/{a}', 'twice'],
    ['x:{a}}', 'brace'],
    ['{a}:x', 'scheme'],
    ['x:100%{a}', 'percent sign'],
    ['x:\n{a}', "URIs can't have"],
    ['x:\ud83d{a}', "URIs can't have"],
    ['x:<{a}>', "URIs can't have"],
  ])('the template %s is refused', (template, reason) => {
    expect(() => uriTemplate(template)).toThrow(reason);
  });

  it('the variables written into a template are read back unchanged', () => {
    const template = uriTemplate('x://{a}/{b}');
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }),
        fc.string({ minLength: 1, unit: 'grapheme' }),
        (a, b) => {
          expect(template.match(namedUri(`x://${encodeURIComponent(a)}/${encodeURIComponent(b)}`))).toEqual({ a, b });
        },
      ),
    );
  });
});
