/**
 * Owns the JSON text of results that are prepared objects and never change, such as the pages of a list: each is written once. A page
 * of a hundred tools would cost more to write than everything else of its request.
 */

/** The methods with prepared results, besides those of one era only. */
export const LISTS = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'] as const;

export class PreparedTexts {
  readonly #texts = new WeakMap<object, string>();

  of(result: object, write: (result: object) => string): string {
    const known = this.#texts.get(result);
    if (known !== undefined) return known;
    const text = write(result);
    this.#texts.set(result, text);
    return text;
  }
}
