/** Owns the search for words of another language on a page: what is neither a text of its language nor a name of another party. */
import { formsOf, type Language, placeholdersOf } from '../../src/languages/language.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

/** What a person reads; an element that says that it is English may be so. */
const visible = (page: string): string =>
  page
    .replace(/<style>[\s\S]*?<\/style>/g, ' ')
    .replace(/<(\w+)[^>]* lang="en"[^>]*>[^<]*<\/\1>/g, ' ')
    // The reference of an error.
    .replace(/<code>[\da-f-]{36}<\/code>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity);

/** A text as it stands between the values of its placeholders. */
const fragmentsOf = (text: string): readonly string[] =>
  [...placeholdersOf(text)]
    .reduce((parts, name) => parts.flatMap((part) => part.split(`{${name}}`)), [text])
    .map((part) => part.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, ''))
    .filter(Boolean);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** @param names what other parties call themselves: apps, hosts, people, providers */
export function foreignWords(page: string, language: Language, names: readonly string[]): readonly string[] {
  const known = [...names, ...Object.values(language.texts).flatMap(formsOf).flatMap(fragmentsOf)];
  const left = known
    .toSorted((one, other) => other.length - one.length)
    .reduce(
      (text, part) => text.replaceAll(new RegExp(`(?<!\\p{L})${escaped(part)}(?!\\p{L})`, 'gu'), ' | '),
      visible(page),
    );
  return left.match(/\p{L}[\p{L}’'-]*/gu) ?? [];
}
