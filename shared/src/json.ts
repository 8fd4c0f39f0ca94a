/** Owns what counts as an object of JSON, for values that somebody else sent. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Neither a list nor null. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether lists and objects are nested in more levels than these. */
export const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1)));
