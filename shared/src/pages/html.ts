/** Owns HTML templates: a template tag that escapes every value unless it is HTML already. */

export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

type Value = Html | string | number | boolean | null | undefined | readonly Value[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

function render(value: Value): string {
  if (value instanceof Html) return value.toString();
  if (value === null || value === undefined || typeof value === 'boolean') return '';
  return Array.isArray(value) ? value.map(render).join('') : escapeText(String(value));
}

/** Text and numbers are escaped (also for quoted attributes), lists are joined, `false`, `null` and `undefined` are omitted. */
export const html = (strings: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(String.raw({ raw: strings }, ...values.map(render)));

/** Markup of our own that must not be escaped, such as a stylesheet. */
export const trusted = (markup: string): Html => new Html(markup);
