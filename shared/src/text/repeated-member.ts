/**
 * Owns the finding of a member that an object of JSON has twice: JSON.parse keeps the last one and says nothing (RFC 8259 §4), so that
 * half of what somebody wrote would not count.
 */

/** A text, with the colon if it is the name of a member, or where an object or a list begins or ends. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/gs;

/** @returns the first name that one object has twice; `undefined` also for a text that is not JSON */
export function repeatedMember(json: string): string | undefined {
  if (!isJson(json)) return undefined;
  const open: Set<string>[] = [];
  for (const [token, text, colon] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (text !== undefined && colon !== undefined) {
      // Two names may be written differently: "a" and "\u0061".
      const name: string = JSON.parse(text);
      const names = open.at(-1);
      if (names?.has(name)) return name;
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
