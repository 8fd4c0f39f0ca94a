/** Owns a language for tests that is written from right to left; its texts are marked and otherwise English. */
import { english } from '../../../src/languages/english.ts';
import type { Language } from '../../../src/languages/language.ts';

const texts = Object.fromEntries(Object.entries(english.texts).map(([key, text]) => [key, `עברית ${text}`]));

export const hebrew: Language = { tag: 'he', direction: 'rtl', texts: texts as Language['texts'] };
