/**
 * Owns what is read of a user that a provider sends (RFC 7643 §4.1): `externalId`, `userName` and `active`. Everything else, such as
 * names and addresses, is ignored and never stored.
 */

import { HttpError } from '@mcp-oauth/shared/errors';
import { isObject } from '@mcp-oauth/shared/json';
import { isSubject } from '../federation/subject.ts';

/** Absent members stay as they are. */
export interface UserChanges {
  /** The subject of the person at the upstream: what the connector reports as `sub`. */
  readonly externalId?: string;
  readonly userName?: string;
  readonly active?: boolean;
}

export type UserAttribute = keyof UserChanges;

export type Members = Readonly<Record<string, unknown>>;

/** The types of errors in RFC 7644 §3.12. */
export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'
  | 'uniqueness';

/** @param detail never contains a value that was sent: the log shows it */
export const invalid = (type: ScimType, detail: string): HttpError => new HttpError(400, type, detail);

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:user:';
const ATTRIBUTES = new Map<string, UserAttribute>([
  ['externalid', 'externalId'],
  ['username', 'userName'],
  ['active', 'active'],
]);

/**
 * RFC 7643 §2.1: names of attributes have no case, RFC 7644 §3.10: and may be preceded by the URN of their schema.
 * @returns `undefined` for an attribute that is not stored
 */
export function attributeOf(name: string): UserAttribute | undefined {
  const lower = name.trim().toLowerCase();
  return ATTRIBUTES.get(lower.startsWith(CORE) ? lower.slice(CORE.length) : lower);
}

/** The attributes of a user, or of the value of a PATCH operation without a path. @throws HttpError */
export function readUser(body: unknown): UserChanges {
  if (!isObject(body)) throw invalid('invalidSyntax', 'Expected a JSON object with the attributes of a user.');
  const changes: { -readonly [A in UserAttribute]?: unknown } = {};
  for (const [name, value] of Object.entries(body)) {
    const attribute = attributeOf(name);
    // RFC 7643 §2.5: null means no value.
    if (!attribute || value === null) continue;
    if (changes[attribute] !== undefined) throw invalid('invalidSyntax', `${attribute} occurs more than once.`);
    Object.assign(changes, readAttribute(attribute, value));
  }
  return changes as UserChanges;
}

/** @throws HttpError */
export function readAttribute(attribute: UserAttribute, value: unknown): UserChanges {
  switch (attribute) {
    case 'active':
      return { active: readActive(value) };
    case 'externalId':
      if (isSubject(value)) return { externalId: value };
      throw invalid('invalidValue', 'externalId must be the subject of the person: a text of 1 to 255 characters.');
    case 'userName':
      if (typeof value === 'string' && value.trim() && value.length <= LONGEST_USER_NAME) return { userName: value };
      throw invalid('invalidValue', `userName must be a text of 1 to ${LONGEST_USER_NAME} characters.`);
  }
}

const LONGEST_USER_NAME = 1_024;

/** Microsoft Entra sends the text "False" for a boolean. */
function readActive(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (text === 'true' || text === 'false') return text === 'true';
  throw invalid('invalidValue', 'active must be true or false.');
}
