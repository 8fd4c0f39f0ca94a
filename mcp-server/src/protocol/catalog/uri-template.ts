/**
 * Owns URI templates of level 1, `notes://{user}/{id}` (RFC 6570 §1.2): the value of each variable in a URI. URIs
 * are compared normalized (RFC 3986 §6.2.2 and §6.2.3, RFC 6570 §3.1). Matching goes from left to right without
 * backtracking, so that no URI can keep the server busy.
 */
import { type NormalUri, normalise, normalUri } from '@mcp-oauth/shared/network/normal-uri';

export interface UriTemplate {
  /** Normalizes a URI, so that equivalent URIs are equal. */
  readonly normal: string;
  readonly variables: readonly string[];
  /** Number of characters outside of variables: a template with more is more specific. */
  readonly literal: number;
  /** @returns the decoded value of each variable; nothing when the URI does not match the template */
  match(uri: NamedUri): Readonly<Record<string, string>> | undefined;
}

/** A URI in the form that templates match. */
export interface NamedUri {
  /** With its dot segments: some are the value of a variable; the others lead to another path. */
  readonly asItIs: NormalUri;
  readonly resolved: NormalUri;
}

/** Computed once for all templates. */
export const namedUri = (uri: string): NamedUri => ({ asItIs: normalise(uri, false), resolved: normalise(uri) });

const VARIABLE = /^[A-Za-z0-9_]+$/;

/** @throws TypeError with the error of the template */
export function uriTemplate(text: string): UriTemplate {
  const parts = text.split(/\{([^{}]*)\}/);
  const literals = parts.filter((_, index) => index % 2 === 0);
  const variables = parts.filter((_, index) => index % 2 === 1);
  const refuse = (why: string) => new TypeError(`the URI template ${text} ${why}`);
  if (variables.length === 0) throw refuse('has no variable: give it as uri');
  const odd = variables.find((name) => !VARIABLE.test(name));
  if (odd !== undefined) throw refuse(`has {${odd}}, but can only have variables as in {name}`);
  if (new Set(variables).size < variables.length) throw refuse('has a variable twice');
  if (literals.some((literal) => /[{}]/.test(literal))) throw refuse('has a brace too many');
  if (literals.slice(1, -1).includes('')) throw refuse('has two variables with nothing between them');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) throw refuse('does not begin with a scheme');
  if (literals.some((literal) => ODD_LITERAL.test(literal))) throw refuse(`has ${ODD_WORDS} outside its variables`);
  const normal = normalLiterals(literals);
  return {
    normal: normal.map((literal, index) => (index === 0 ? literal : `{${variables[index - 1]}}${literal}`)).join(''),
    variables,
    literal: normal.join('').length,
    match: ({ asItIs, resolved }) => match(asItIs, normal, variables) ?? match(resolved, normal, variables),
  };
}

/**
 * RFC 6570 §2.1: characters that no expansion turns into a URI. Spaces and non-ASCII letters are expanded as
 * escapes (§3.1).
 */
const ODD_LITERAL = /[\p{Cc}"<>\\^`|]|%(?![0-9A-Fa-f]{2})|\p{Surrogate}/u;
const ODD_WORDS = "a character that URIs can't have, or a percent sign outside of an escape,";

/** Replaces each variable by text that is unchanged in every part of a URI. */
function normalLiterals(literals: readonly string[]): readonly string[] {
  for (let n = 0; ; n += 1) {
    const mark = `0v${n}v0`;
    const normal = normalUri(literals.join(mark)).split(mark);
    if (normal.length === literals.length && !literals.join('').includes(mark)) return normal;
  }
}

/** The name of a template, also if a URL type has escaped its braces. @returns text that is not a template unchanged */
export function normalTemplate(text: string): string {
  try {
    return uriTemplate(text.replace(/%7b/gi, '{').replace(/%7d/gi, '}')).normal;
  } catch {
    return text;
  }
}

function match({ text: uri, cased }: NormalUri, [head = '', ...rest]: readonly string[], variables: readonly string[]) {
  if (!uri.startsWith(head)) return undefined;
  const values: [string, string][] = [];
  let at = head.length;
  for (const [index, name] of variables.entries()) {
    const literal = rest[index] ?? '';
    const end = index === rest.length - 1 ? startOfEnd(uri, literal) : uri.indexOf(literal, at + 1);
    const value = end === -1 ? undefined : decode(cased.slice(at, end));
    if (value === undefined) return undefined;
    values.push([name, value]);
    at = end + literal.length;
  }
  return Object.fromEntries(values);
}

const startOfEnd = (uri: string, end: string): number => (uri.endsWith(end) ? uri.length - end.length : -1);

/** A variable never matches a slash, a query or a fragment, unless they are encoded. */
function decode(value: string): string | undefined {
  if (value === '' || /[/?#]/.test(value)) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
