/** Owns the reading of a PATCH (RFC 7644 §3.5.2), in every shape in which Microsoft Entra and Okta send it. */
import { isObject } from '@mcp-oauth/shared/json';
import { attributeOf, invalid, type Members, readAttribute, readUser, type UserChanges } from './attributes.ts';

const MOST_OPERATIONS = 100;
const OPERATIONS = new Set(['add', 'replace', 'remove']);

/**
 * The result of all operations, of which a later one prevails. Nothing is changed if one of them is wrong (§3.5.2: all or nothing).
 * @throws HttpError
 */
export function readPatch(body: unknown): UserChanges {
  const operations = isObject(body) ? memberOf(body, 'Operations') : undefined;
  if (!Array.isArray(operations) || operations.length === 0 || operations.length > MOST_OPERATIONS) {
    throw invalid('invalidSyntax', `Expected Operations: a list of 1 to ${MOST_OPERATIONS} operations.`);
  }
  return Object.assign({}, ...operations.map(readOperation));
}

function readOperation(operation: unknown): UserChanges {
  if (!isObject(operation)) throw invalid('invalidSyntax', 'Each operation must be an object.');
  const op = memberOf(operation, 'op');
  const name = typeof op === 'string' ? op.toLowerCase() : '';
  if (!OPERATIONS.has(name)) throw invalid('invalidSyntax', 'op must be add, replace or remove.');
  const path = memberOf(operation, 'path') ?? '';
  const value = memberOf(operation, 'value');
  if (typeof path !== 'string') throw invalid('invalidPath', 'path must be a text.');
  if (path.trim() === '') {
    if (name === 'remove') throw invalid('noTarget', 'remove requires a path.');
    return readUser(value);
  }
  const attribute = attributeOf(path);
  if (!attribute) return {};
  if (name === 'remove') throw invalid('mutability', `${attribute} can't be removed.`);
  return readAttribute(attribute, value);
}

/** Microsoft Entra and others write `op` and its value in different cases, so the names of members have none here. */
const memberOf = (object: Members, name: string): unknown => {
  const found = Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : object[found];
};
