/**
 * Owns the arguments of a tool that clients repeat in HTTP headers. The declarations are read from the tool's
 * schema once at start. A declaration is refused if a conforming client would reject the tool for it (MCP
 * 2026-07-28 server/tools, "x-mcp-header").
 */

/** An argument that clients repeat in a header. */
export interface ParameterHeader {
  /** Lower case, as node writes header names: `mcp-param-region`. */
  readonly header: string;
  /** The path of member names to the argument. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

const KEYWORD = 'x-mcp-header';

/** RFC 9110 §5.6.2 token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);

/** Keywords whose members are names, not keywords. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

/** Keywords whose values are data: an `x-mcp-header` inside declares nothing. */
const DATA = new Set(['enum', 'const', 'default', 'examples']);

/**
 * Reads the declarations of a tool's input schema.
 * @throws TypeError with the declaration that a client would refuse, and why
 */
export function parameterHeaders(schema: object): readonly ParameterHeader[] {
  const found: ParameterHeader[] = [];
  visit(schema, [], found);
  const names = new Set(found.map(({ header }) => header));
  if (names.size < found.length) throw new TypeError(`two arguments have the same ${KEYWORD}`);
  return found;
}

/** @param path absent where a keyword other than `properties` is on the path */
function visit(schema: object, path: readonly string[] | undefined, found: ParameterHeader[]): void {
  if (KEYWORD in schema) found.push(declared(schema, path));
  for (const [keyword, value] of Object.entries(schema)) {
    if (typeof value !== 'object' || value === null || DATA.has(keyword)) continue;
    const plain = keyword === 'properties' ? path : undefined;
    if (MAPS.has(keyword)) {
      for (const [name, inner] of Object.entries(value)) {
        if (typeof inner === 'object' && inner !== null) visit(inner, plain && [...plain, name], found);
      }
    } else visit(value, undefined, found);
  }
}

function declared(schema: { [KEYWORD]?: unknown; type?: unknown }, path: readonly string[] | undefined) {
  const { [KEYWORD]: name, type } = schema;
  if (!path?.length)
    throw new TypeError(`${KEYWORD} is only allowed on members that are reached through properties alone`);
  const at = `${KEYWORD} of ${path.join('.')}`;
  if (typeof name !== 'string' || !TOKEN.test(name)) throw new TypeError(`${at} is not a valid header name`);
  if (!TYPES.has(type)) throw new TypeError(`${at} is only for strings, integers and booleans`);
  return { header: `mcp-param-${name.toLowerCase()}`, path, type: type as ParameterHeader['type'] };
}
