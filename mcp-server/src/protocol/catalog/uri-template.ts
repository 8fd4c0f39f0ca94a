/**
 * Owns URI templates of level 1, `notes://{user}/{id}` (RFC 6570 §1.2): what a URI says for each variable. Read from left to
 * right, without ever turning back, so that no URI can keep the server busy.
 */

export interface UriTemplate {
  readonly variables: readonly string[];
  /** How many characters are not variables: the more, the more exactly it says what it is about. */
  readonly literal: number;
  /** @returns the decoded value of each variable; nothing when the URI is not of this template */
  match(uri: string): Readonly<Record<string, string>> | undefined;
}

const VARIABLE = /^[A-Za-z0-9_]+$/;

/** @throws TypeError saying what is wrong with the template */
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
  return {
    variables,
    literal: literals.join('').length,
    match: (uri) => match(uri, literals, variables),
  };
}

function match(uri: string, [head = '', ...rest]: readonly string[], variables: readonly string[]) {
  if (!uri.startsWith(head)) return undefined;
  const values: [string, string][] = [];
  let at = head.length;
  for (const [index, name] of variables.entries()) {
    const literal = rest[index] ?? '';
    const end = index === rest.length - 1 ? startOfEnd(uri, literal) : uri.indexOf(literal, at + 1);
    const value = end === -1 ? undefined : decode(uri.slice(at, end));
    if (value === undefined) return undefined;
    values.push([name, value]);
    at = end + literal.length;
  }
  return Object.fromEntries(values);
}

const startOfEnd = (uri: string, end: string): number => (uri.endsWith(end) ? uri.length - end.length : -1);

/** A variable never reaches over a slash, a query or a fragment, unless these come encoded. */
function decode(value: string): string | undefined {
  if (value === '' || /[/?#]/.test(value)) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
