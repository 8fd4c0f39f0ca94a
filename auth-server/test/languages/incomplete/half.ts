/** Owns a language for tests that lacks a placeholder. */
import { english } from '../../../src/languages/english.ts';
import type { Language } from '../../../src/languages/language.ts';

export const half: Language = { tag: 'tlh', direction: 'ltr', texts: { ...english.texts, heading: 'Allow {client}?' } };
