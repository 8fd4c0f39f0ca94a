/** Proves how words of the command line become arguments of a tool. */
import { describe, expect, it } from 'vitest';
import { argumentsOf } from '../../src/terminal/arguments.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    count: { type: 'integer' },
    ratio: { type: ['number', 'null'] },
    sure: { type: 'boolean' },
    list: { type: 'array' },
    map: { type: 'object' },
    size: { enum: ['small', 'large'], type: 'string' },
    either: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
    referred: { $ref: '#/$defs/amount' },
    anything: {},
  },
  required: ['text'],
  $defs: { amount: { type: 'number' } },
};

const FILES: Readonly<Record<string, string>> = { 'a.json': '{"text":"from a file","count":1}', 'list.json': '[1]' };

const read = async (path: string) => {
  if (path === 'missing.json') throw new Error('ENOENT');
  return FILES[path] ?? '{"text":"from standard input"}';
};
const argumentsIn = (...words: string[]) => argumentsOf(words, SCHEMA, read);

describe('the arguments of a tool', () => {
  it.each([
    ['text=', { text: '' }],
    ['text=1', { text: '1' }],
    ['text=a=b c', { text: 'a=b c' }],
    ['count=-3', { count: -3 }],
    ['ratio=1.5e3', { ratio: 1500 }],
    ['ratio=null', { ratio: null }],
    ['sure=false', { sure: false }],
    ['list=[1,"a"]', { list: [1, 'a'] }],
    ['map={"a":1}', { map: { a: 1 } }],
    ['size=large', { size: 'large' }],
    ['either=7', { either: 7 }],
    ['either=seven', { either: 'seven' }],
    ['referred=0.5', { referred: 0.5 }],
    ['anything=[1]', { anything: [1] }],
    ['anything=word', { anything: 'word' }],
  ])('MCP, tools: %j has the type of the schema', async (word, expected) => {
    expect(await argumentsIn('text=given', word)).toEqual({ text: 'given', ...expected });
  });

  it.each([
    ['count=1.5', 'count must be integer, not "1.5"'],
    ['count=', 'count must be integer, not ""'],
    ['count=9007199254740993', 'count must be integer, not "9007199254740993"'],
    ['ratio=NaN', 'ratio must be number or null, not "NaN"'],
    ['ratio=0x10', 'ratio must be number or null, not "0x10"'],
    ['sure=yes', 'sure must be boolean, not "yes"'],
    ['sure=constructor', 'sure must be boolean, not "constructor"'],
    ['list={}', 'list must be array, not "{}"'],
    ['map=[]', 'map must be object, not "[]"'],
    ['size=huge', 'size must be one of small, large, not "huge"'],
    ['cuont=1', 'there is no argument "cuont": did you mean count?'],
    ['constructor=1', 'there is no argument "constructor": there is text, '],
    ['text', '"text" must be key=value, @file.json or -'],
    ['=text', '"=text" must be key=value, @file.json or -'],
    ['@list.json', '@list.json must contain a JSON object'],
    ['@missing.json', "@missing.json can't be read (ENOENT)"],
  ])('%j is refused with the reason', async (word, reason) => {
    await expect(argumentsIn('text=given', word)).rejects.toThrow(reason);
  });

  it('JSON of a file or of standard input is taken as it is, and later words win', async () => {
    expect(await argumentsIn('@a.json', 'count=2')).toEqual({ text: 'from a file', count: 2 });
    expect(await argumentsIn('count=2', '@a.json')).toEqual({ text: 'from a file', count: 1 });
    expect(await argumentsIn('-')).toEqual({ text: 'from standard input' });
  });

  it('a required argument that is missing is named', async () => {
    await expect(argumentsIn('count=1')).rejects.toThrow('missing: text');
  });

  it('a schema without properties takes no key=value', async () => {
    await expect(argumentsOf(['a=1'], {}, read)).rejects.toThrow('there is no argument "a": there is none');
  });
});
