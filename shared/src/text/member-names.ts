/**
 * Owns the finding of names in JSON that a reader would lose without a word: a member that an object has twice, of which JSON.parse
 * keeps the last (RFC 8259 §4), and a member `__proto__`, which libraries leave out so that it can't replace the prototype of an object.
 */

/** A text, with the colon if it is the name of a member, or where an object or a list begins or ends. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/gs;

/** @returns what is wrong with the first such name, for the operator; `undefined` also for a text that is not JSON */
export function flawOfNames(json: string): string | undefined {
  if (!isJson(json)) return undefined;
  const open: Set<string>[] = [];
  for (const [token, text, colon] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (text !== undefined && colon !== undefined) {
      // A name may be written differently: "a" and "\u0061".
      const name: string = JSON.parse(text);
      const names = open.at(-1);
      if (name === '__proto__') return 'has the member "__proto__", which nothing may be called: remove it';
      if (names?.has(name)) return `has ${JSON.stringify(name)} twice in one object: keep one`;
      names?.add(name);
    }
  }
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
