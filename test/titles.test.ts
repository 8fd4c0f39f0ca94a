/**
 * Proves that the title of a test names its subject first: docs/standards.md and the output of a failed run show a
 * title without the `describe` around it.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const cwd = fileURLToPath(new URL('..', import.meta.url));

/** A title as the formatter writes it: of a test, of a table of tests, or of a wrapper of `it`. */
const TITLE = /^ *(?:(?:it|survives)(?:\.\w+)*(?:\(.*?\))??|\](?: as const)?\))\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gm;

/** What may precede the sentence: the clauses that the test proves. */
const CLAUSES =
  /^(?:(?:RFC \d+(?:bis)?|OAuth 2\.1|Token Status List|OpenID Connect \w+|JSON-RPC 2\.0|MCP \d{4}-\d\d-\d\d|draft-[\w-]+|CWE-\d+|SEP-\d+|§[\d.]+|and)[\s,:]*)+/;

const titlesIn = (text: string): string[] => [...text.matchAll(TITLE)].map(([, , title = '']) => title);

/** A title with such a beginning continues a sentence of another place. */
const isPartOfSentence = (title: string): boolean =>
  /^(?:that|but|of|are|is|it|ends|shows|leads|follows)\b/i.test(title.replace(CLAUSES, ''));

describe('the titles of tests', () => {
  const titles = globSync('{test,*/test}/**/*.{test,contract}.ts', { cwd })
    .filter((path) => !path.includes('node_modules'))
    .flatMap((path) => titlesIn(readFileSync(`${cwd}${path}`, 'utf8')).map((title) => `${path}: ${title}`));

  it('a title never begins with the rest of a sentence, such as that, but, of, is, it or ends', () => {
    expect(titles.length).toBeGreaterThan(1_500);
    expect(titles.filter((line) => isPartOfSentence(line.slice(line.indexOf(': ') + 2)))).toEqual([]);
  });

  it.each([
    ['a test', `it('is refused', () => {});`],
    ['a test with options', `  it('of a stranger is refused', { timeout: 1 }, () => {});`],
    ['a test with a condition', `it.skipIf(!hasRedis)("are refused", () => {});`],
    ['a table in one line', `it.each(['a', 'b'])('that is %s', () => {});`],
    ['a table in several lines', `it.each([\n  ['a'],\n])('but not %s', () => {});`],
    ['a table with a title of its own line', `it.each(rows)(\n  'of %s',\n  () => {},\n);`],
    ['a pronoun', `it('it is good once', () => {});`],
    ['a verb without its subject', `it('RFC 7009 §2.1 follows a revocation', () => {});`],
    ['a wrapper', `survives('is scaled', () => {});`],
    ['a title with a clause', `it('RFC 6749 §5.2, RFC 7009 §2.1 is refused', () => {});`],
  ])('the rule notices %s', (_, source) => {
    expect(titlesIn(source).filter(isPartOfSentence)).toHaveLength(1);
  });

  it.each(['island', 'offline', 'RFC 6749 §5.2 a code', 'a token that is expired', 'Areas'])(
    'the rule accepts %j',
    (title) => {
      expect(isPartOfSentence(title)).toBe(false);
    },
  );
});
