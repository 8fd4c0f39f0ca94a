/**
 * Owns one rule about people: how it is written, and what it compares. A rule names one value of one type, such as
 * `domain:example.com` or `group:ops`. Values are compared whole, never as a part of a longer one.
 */
import { domainToASCII } from 'node:url';
import type { RuleType } from '../federation/connector.ts';

export interface Rule {
  readonly type: RuleType | 'anyone';
  /** In the form in which it is compared; with a path for `claim`. */
  readonly value: string;
  /** The path of a claim: federation/claim-path.ts. */
  readonly path?: string | undefined;
  /** As the operator wrote it. */
  readonly text: string;
}

const TYPES: ReadonlySet<string> = new Set([
  'domain', 'email', 'subject', 'user', 'group', 'role', 'org', 'team', 'claim',
]); // biome-ignore format: one list

const FORMS = 'domain:, email:, subject:, user:, group:, role:, org:, team:, claim:PATH=VALUE, file:PATH, or anyone';
const LONGEST = 1_024;

/** @throws Error with what is wrong, for the operator */
export function parseRule(written: string): Rule {
  const text = written.trim();
  if (text.length > LONGEST) throw new Error(`a rule is longer than ${LONGEST} characters`);
  if (text === 'anyone') return { type: 'anyone', value: '', text };
  const [, type = '', rest = ''] = /^([a-z]+):(.*)$/su.exec(text) ?? [];
  if (!TYPES.has(type)) throw new Error(`${JSON.stringify(text)} is not a rule: expected ${FORMS}`);
  const given = rest.trim();
  if (given === '') throw new Error(`${JSON.stringify(text)} has no value`);
  if (type === 'claim') return claimRule(text, given);
  return { type: type as RuleType, value: comparable(type as RuleType, given, text), text };
}

function claimRule(text: string, given: string): Rule {
  // The value may contain the sign, the path may not.
  const at = given.indexOf('=');
  const [path, value] = [given.slice(0, at).trim(), given.slice(at + 1).trim()];
  if (at < 1 || path === '' || value === '') throw new Error(`${JSON.stringify(text)}: expected claim:<path>=<value>`);
  return { type: 'claim', path, value, text };
}

function comparable(type: RuleType, given: string, text: string): string {
  if (type === 'email') {
    const address = comparableEmail(given);
    if (address === undefined) throw new Error(`${JSON.stringify(text)}: expected an e-mail address`);
    return address;
  }
  if (type !== 'domain') return given;
  const isPattern = given.startsWith('*.');
  const domain = comparableDomain(isPattern ? given.slice(2) : given);
  if (domain === undefined || domain.includes('*')) {
    throw new Error(
      `${JSON.stringify(text)}: expected a domain such as example.com, or *.example.com for its sub-domains`,
    );
  }
  return isPattern ? `*.${domain}` : domain;
}

/** The ASCII form (RFC 5891 A-label) in lower case; `undefined` if it is not a domain. */
export function comparableDomain(domain: string): string | undefined {
  const ascii = domainToASCII(domain.normalize('NFC')).toLowerCase();
  return /^(?=.{1,253}$)[a-z0-9_*]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$/.test(ascii)
    ? ascii
    : undefined;
}

/**
 * The address with its domain in ASCII, and its local part in lower case. Only A to Z are changed: other characters that look
 * alike belong to other people.
 * @returns `undefined` if it is not one address
 */
export function comparableEmail(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const [local, domain] = [address.slice(0, at), comparableDomain(address.slice(at + 1))];
  if (at < 1 || domain === undefined || /[\s@<>,;:"\p{C}]/u.test(local)) return undefined;
  return `${local.replace(/[A-Z]/g, (letter) => letter.toLowerCase())}@${domain}`;
}

export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1);
