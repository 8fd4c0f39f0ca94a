/**
 * Owns finding a keyword of JSON Schema that is misspelt. Unknown keywords are no fault (JSON Schema 2020-12 §6.5: others may read
 * them), but one like `requierd` would let through what its author wanted to keep out.
 */
import { nearest } from '@mcp-oauth/shared/nearest';

/** Of 2020-12 and draft-07: what validates or leads to other schemas. */
const KEYWORDS =
  `type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems
  minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired allOf anyOf oneOf not if then
  else dependentSchemas prefixItems items contains properties patternProperties additionalProperties propertyNames
  unevaluatedItems unevaluatedProperties format contentEncoding contentMediaType contentSchema additionalItems dependencies
  definitions`.split(/\s+/);

/** Keywords that only describe, and those of OpenAPI and of editors that look like others. */
const HARMLESS = new Set(
  `title description default examples example deprecated readOnly writeOnly nullable enumNames option options`.split(
    ' ',
  ),
);

const KNOWN: ReadonlySet<string> = new Set([...KEYWORDS, ...HARMLESS]);

/** Their members are names of the author's, each with a schema. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);

/** What is in these is data. */
const DATA = new Set(['enum', 'const', 'default', 'examples', 'example']);

/** @returns what is wrong, in words; nothing when no keyword looks misspelt */
export function misspeltKeyword(schema: object): string | undefined {
  for (const [keyword, value] of Object.entries(schema)) {
    const meant =
      KNOWN.has(keyword) || /^(x-|\$)/.test(keyword) ? undefined : nearest(keyword, KEYWORDS, editsOf(keyword));
    if (meant) return `"${keyword}" is no keyword of JSON Schema; did you mean "${meant}"?`;
    if (typeof value !== 'object' || value === null || DATA.has(keyword)) continue;
    const inner = MAPS.has(keyword) || Array.isArray(value) ? Object.values(value) : [value];
    for (const one of inner) {
      const found = typeof one === 'object' && one !== null ? misspeltKeyword(one) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

/** Short names are near to too much. */
const editsOf = (keyword: string): number => (keyword.length < 5 ? 0 : keyword.length < 8 ? 1 : 2);
