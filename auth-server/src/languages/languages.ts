/**
 * Owns which languages there are and which one a browser gets: each file of this folder that exports a language is one, and
 * Accept-Language decides (RFC 9110 §12.5.4). Without a match it is English.
 */
import { readdir } from 'node:fs/promises';
import { StartError } from '@mcp-oauth/shared/errors';
import { english } from './english.ts';
import { type Language, placeholdersOf } from './language.ts';

/** The part of a request that decides; a Koa context is one. */
interface Reader {
  acceptsLanguages(tags: string[]): string | false;
  vary(field: string): void;
}

/** @returns the language of a page, which from then on varies with the request */
export type ChooseLanguage = (reader: Reader) => Language;

/** @param languages the first is for browsers that ask for none of them */
export function chooseFrom(languages: readonly Language[]): ChooseLanguage {
  const byTag = new Map(languages.map((language) => [language.tag, language]));
  const tags = [...byTag.keys()];
  return (reader) => {
    reader.vary('Accept-Language');
    return byTag.get(reader.acceptsLanguages(tags) || english.tag) ?? english;
  };
}

/** @throws StartError when a language is incomplete, or two have the same tag */
export async function discoverLanguages(folder: URL): Promise<readonly Language[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts')).sort();
  const languages = new Map<string, Language>([[english.tag, english]]);
  for (const file of files) {
    const { href, pathname } = new URL(file, folder);
    for (const value of Object.values<unknown>(await import(href))) {
      if (!isLanguage(value) || value === english) continue;
      const problem = languages.has(value.tag) ? `another language has the tag ${value.tag}` : problemWith(value);
      if (problem) throw new StartError(`${pathname}: ${problem}`);
      languages.set(value.tag, value);
    }
  }
  return [...languages.values()];
}

function isLanguage(candidate: unknown): candidate is Language {
  const { tag, direction, texts } = (candidate ?? {}) as Partial<Language>;
  return typeof tag === 'string' && (direction === 'ltr' || direction === 'rtl') && typeof texts === 'object';
}

/** What a language lacks, compared with English; `undefined` if nothing. */
export function problemWith({ tag, texts }: Language): string | undefined {
  if (!isTag(tag)) return `${JSON.stringify(tag)} is not a language tag`;
  const known: Readonly<Record<string, string>> = english.texts;
  const given: Readonly<Record<string, unknown>> = texts;
  const extra = Object.keys(given).find((key) => !Object.hasOwn(known, key));
  if (extra !== undefined) return `there is no text ${extra}`;
  for (const [key, original] of Object.entries(known)) {
    const problem = problemWithText(key, original, given[key]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const PLURALS: ReadonlySet<string> = new Set(['zero', 'one', 'two', 'few', 'many', 'other']);

function problemWithText(key: string, original: string, text: unknown): string | undefined {
  const wanted = placeholdersOf(original);
  const forms: Readonly<Record<string, unknown>> =
    typeof text === 'object' && text !== null && wanted.has('count') ? { ...text } : { other: text };
  if (!Object.hasOwn(forms, 'other')) return `the text ${key} needs the form other`;
  for (const [name, form] of Object.entries(forms)) {
    if (!PLURALS.has(name)) return `the text ${key} has the form ${name}, which is no plural category`;
    if (typeof form !== 'string' || form.trim() === '') return `the text ${key} is missing`;
    if (wanted.symmetricDifference(placeholdersOf(form)).size > 0) {
      return `the text ${key} needs the placeholders ${[...wanted].map((name) => `{${name}}`).join(' ') || '(none)'}`;
    }
  }
  return undefined;
}

function isTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
