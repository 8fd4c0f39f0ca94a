/**
 * Owns the detection of misspelt keywords of JSON Schema. Unknown keywords are allowed (JSON Schema 2020-12 §6.5:
 * others may read them), but a misspelt one like `requierd` would accept values that its author wanted to refuse.
 */
import { nearest } from '@mcp-oauth/shared/text/nearest';

/** Keywords of 2020-12 and draft-07 that validate or contain other schemas. */
const KEYWORDS =
  `type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems
  minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired allOf anyOf oneOf not if then
  else dependentSchemas prefixItems items contains properties patternProperties additionalProperties propertyNames
  unevaluatedItems unevaluatedProperties format contentEncoding contentMediaType contentSchema additionalItems dependencies
  definitions`.split(/\s+/);

/** Keywords that only describe, and keywords of OpenAPI and of editors that are similar to others. */
const HARMLESS = new Set(
  `title description default examples example deprecated readOnly writeOnly nullable enumNames option options`.split(
    ' ',
  ),
);

const KNOWN: ReadonlySet<string> = new Set([...KEYWORDS, ...HARMLESS]);

/** Keywords whose members have names of the author's choice, each with a schema. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);

/** Keywords whose values are data. */
const DATA = new Set(['enum', 'const', 'default', 'examples', 'example']);

/** @returns a description of the first misspelt keyword; nothing when there is none */
export function misspeltKeyword(schema: object): string | undefined {
  for (const [keyword, value] of Object.entries(schema)) {
    const meant =
      KNOWN.has(keyword) || /^(x-|\$)/.test(keyword) ? undefined : nearest(keyword, KEYWORDS, editsOf(keyword));
    if (meant) return `"${keyword}" is not a keyword of JSON Schema; did you mean "${meant}"?`;
    if (typeof value !== 'object' || value === null || DATA.has(keyword)) continue;
    const inner = MAPS.has(keyword) || Array.isArray(value) ? Object.values(value) : [value];
    for (const one of inner) {
      const found = typeof one === 'object' && one !== null ? misspeltKeyword(one) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

/** Short names are similar to too many others. */
const editsOf = (keyword: string): number => (keyword.length < 5 ? 0 : keyword.length < 8 ? 1 : 2);
