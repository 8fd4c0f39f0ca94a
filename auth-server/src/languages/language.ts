/** Owns what a language is: a tag (RFC 5646), a direction, and each text of the pages; and how a text gets its values. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { english } from './english.ts';

type English = typeof english.texts;
type Key = keyof English;

export interface Language {
  /** RFC 5646 */
  readonly tag: string;
  readonly direction: 'ltr' | 'rtl';
  readonly texts: { readonly [K in Key]: 'count' extends Placeholders<English[K]> ? string | ByNumber : string };
}

/** A text for each plural category of the language that needs its own (CLDR); `other` is for the rest. */
export type ByNumber = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string };

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

/** The values for the placeholders of a text; no argument if it has none. */
type Values<K extends Key, Value> = [Placeholders<English[K]>] extends [never]
  ? []
  : [Readonly<Record<Placeholders<English[K]>, Value>>];

/** A text that is chosen before its language is known. */
export interface Said {
  readonly key: Key;
  readonly values: Readonly<Record<string, string>>;
}

export const said = <K extends Key>(key: K, ...[values]: Values<K, string>): Said => ({ key, values: values ?? {} });

const PLACEHOLDER = /\{(\w+)\}/;

/** The parts of a text: every second one is the name of a placeholder. */
const partsOf = (text: string): readonly string[] => text.split(PLACEHOLDER);

/** The text for these values: a number decides between the forms of the language. */
function formOf({ tag, texts }: Language, key: Key, { count }: Readonly<Record<string, unknown>>): string {
  const text: string | ByNumber = texts[key];
  return typeof text === 'string' ? text : (text[new Intl.PluralRules(tag).select(Number(count))] ?? text.other);
}

/** As plain text. */
export const inWords = (language: Language, { key, values }: Said): string =>
  partsOf(formOf(language, key, values))
    .map((part, index) => (index % 2 === 0 ? part : (values[part] ?? '')))
    .join('');

/** As markup: the text and values that are not markup themselves are escaped. */
export function fill<K extends Key>(language: Language, key: K, ...[given]: Values<K, Html | string>): Html {
  const values: Readonly<Record<string, Html | string>> = given ?? {};
  const parts = partsOf(formOf(language, key, values));
  return html`${parts.map((part, index) => (index % 2 === 0 ? part : (values[part] ?? '')))}`;
}

/** As markup, in which each value keeps its own direction. */
export function inMarkup(language: Language, { key, values }: Said): Html {
  const parts = partsOf(formOf(language, key, values));
  return html`${parts.map((part, index) => (index % 2 === 0 ? part : html`<bdi>${values[part]}</bdi>`))}`;
}

/** A day as people of the language write it. */
export const dayIn = ({ tag }: Language, secondsSinceEpoch: number): string =>
  new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeZone: 'UTC' }).format(secondsSinceEpoch * 1000);

/** A moment as people of the language write it. It is in UTC, because a page without a script does not know where its reader is. */
export const momentIn = ({ tag }: Language, secondsSinceEpoch: number): string =>
  `${new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(secondsSinceEpoch * 1000)} UTC`;

/** Every form of a text. */
export const formsOf = (text: string | ByNumber): readonly string[] =>
  typeof text === 'string' ? [text] : Object.values(text);

/** The placeholders of a text, each once. */
export const placeholdersOf = (text: string): ReadonlySet<string> =>
  new Set(partsOf(text).filter((_, index) => index % 2 === 1));
