/** Proves that the code uses the field's terms: words that we have replaced do not come back as identifiers. */
import { describe, expect, it } from 'vitest';
import { type SourceFile, sourceFiles } from './architecture/source.ts';

/** The term to use instead, by the word as part of an identifier. */
const REPLACED: Readonly<Record<string, string>> = {
  bury: 'answerForLostReplica',
  burial: 'answerForLostReplica',
  undertaker: 'lostReplica',
  owe: 'notePending',
  debt: 'pendingRequest',
  debts: 'pendingRequests',
  farewell: 'shutdown, drain or grace period',
  doubt: 'invalidate',
  heeded: 'handled',
  witness: 'observer',
  witnesses: 'observers',
  silence: 'keepAlive',
  surroundings: 'dependencies',
};

/** The term to use instead, by the whole identifier, where its words are fine elsewhere. */
const REPLACED_NAMES: Readonly<Record<string, string>> = {
  inOldWords: 'withSessionErrors',
  Visit: 'LaneRequest',
  Exchange: 'a name of its own for each',
  Refusal: 'a name of its own for each',
};

/** Comments, and string literals without their interpolations. */
const NO_CODE = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\$]|\$(?!\{))*`/g;

const wordsOf = (identifier: string): readonly string[] =>
  identifier
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);

const termFor = (identifier: string): string | undefined => {
  const word = wordsOf(identifier).find((part) => Object.hasOwn(REPLACED, part));
  if (word !== undefined) return REPLACED[word];
  return Object.hasOwn(REPLACED_NAMES, identifier) ? REPLACED_NAMES[identifier] : undefined;
};

/** Each identifier once, as `path: identifier`. */
function replacedIn({ path, text }: Pick<SourceFile, 'path' | 'text'>): readonly string[] {
  const identifiers = new Set(text.replace(NO_CODE, ' ').match(/[A-Za-z_$][\w$]*/g));
  return [...identifiers].filter(termFor).map((identifier) => `${path}: ${identifier}`);
}

/** One idea had six names: it is Options for values, and Dependencies for collaborators. */
const GIVEN = /\b(?:interface|type|class) (\w*(?:Parts|Ports)|World|Measured|Shared|Surroundings)\b/g;

const givenIn = ({ path, text }: Pick<SourceFile, 'path' | 'text'>): readonly string[] =>
  [...text.replace(NO_CODE, ' ').matchAll(GIVEN)].map(([, name]) => `${path}: ${name}`);

describe('the glossary', () => {
  const found = sourceFiles().flatMap(replacedIn);

  it('has no replaced word as an identifier in any src', () => {
    expect(found).toEqual([]);
  });

  it('has Options and Dependencies, and no other word for what a function is given', () => {
    expect(sourceFiles().flatMap(givenIn)).toEqual([]);
    expect(givenIn({ path: 'a.ts', text: 'interface LaneParts {}' })).toEqual(['a.ts: LaneParts']);
  });

  it('would notice a replaced word', () => {
    const text = 'class Visit { #buryOne() { return LAST_FAREWELL; } }';
    expect(replacedIn({ path: 'a.ts', text })).toEqual(['a.ts: Visit', 'a.ts: buryOne', 'a.ts: LAST_FAREWELL']);
  });

  it('does not look into comments and texts, and not at other words', () => {
    const text = "/** To bury. */ const allowed = 'debts'; // doubt\nconst visit = `silence`;";
    expect(replacedIn({ path: 'a.ts', text })).toEqual([]);
  });
});
