/**
 * Owns one rule about people: how it is written, and what it compares. A rule names one value of one type, such as
 * `domain:example.com` or `group:ops`. Values are compared whole, never as a part of a longer one.
 */
import type { RuleType } from '../../federation/connector.ts';
import { comparableDomain, comparableEmail } from './address.ts';

export interface Rule {
  readonly type: RuleType | 'anyone';
  /** In the form in which it is compared; with a path for `claim`. */
  readonly value: string;
  /** The path of a claim: shared/src/claim-path.ts. */
  readonly path?: string | undefined;
  /** As the operator wrote it. */
  readonly text: string;
}

const TYPES: ReadonlySet<string> = new Set([
  'domain', 'email', 'subject', 'user', 'group', 'role', 'org', 'team', 'claim',
]); // biome-ignore format: one list

const FORMS = 'domain:, email:, subject:, user:, group:, role:, org:, team:, claim:PATH=VALUE, file:PATH, or anyone';
const LONGEST = 1_024;
/** What somebody means as the next rule or as a comment, and what would else be a part of the value, which then matches nobody. */
const JOINED = /[,;|\s]\s*(?:(?:domain|email|subject|user|group|role|org|team|claim|file):|anyone$)|\s#/;

/** Types whose values never have a `*`: such a rule would match nobody, and so deny nobody. */
const WITHOUT_STAR: ReadonlySet<string> = new Set(['email', 'user', 'team']);

/** @throws Error with what is wrong, for the operator */
export function parseRule(written: string): Rule {
  const text = written.trim();
  if (text.length > LONGEST) throw new Error(`a rule is longer than ${LONGEST} characters`);
  if (text === 'anyone') return { type: 'anyone', value: '', text };
  const [, type = '', rest = ''] = /^([a-z]+):(.*)$/su.exec(text) ?? [];
  if (!TYPES.has(type)) throw new Error(`${JSON.stringify(text)} is not a rule: expected ${FORMS}`);
  const given = rest.trim();
  if (JOINED.test(given)) throw new Error(`${JSON.stringify(text)} looks like two rules, or a rule with a comment`);
  if (given === '') throw new Error(`${JSON.stringify(text)} has no value`);
  if (type === 'claim') return claimRule(text, given);
  return { type: type as RuleType, value: comparable(type as RuleType, given, text), text };
}

function claimRule(text: string, given: string): Rule {
  // The value may contain the sign, the path may not.
  const at = given.indexOf('=');
  const [path, value] = [given.slice(0, at).trim(), given.slice(at + 1).trim()];
  // An address counts only if it is verified, which such a rule would not ask.
  if (path === 'email')
    throw new Error(`${JSON.stringify(text)}: write email:${value}, which counts only if the address is verified`);
  if (at < 1 || path === '' || value === '') throw new Error(`${JSON.stringify(text)}: expected claim:<path>=<value>`);
  return { type: 'claim', path, value, text };
}

function comparable(type: RuleType, given: string, text: string): string {
  if (WITHOUT_STAR.has(type) && given.includes('*')) {
    const [, domain] = /^\*@(.+)$/.exec(given) ?? [];
    const instead = domain === undefined ? '' : `: write domain:${domain} for a whole domain`;
    throw new Error(`${JSON.stringify(text)} has a *, but values are compared whole${instead}`);
  }
  if (type === 'email') {
    const address = comparableEmail(given);
    if (address === undefined) throw new Error(`${JSON.stringify(text)}: expected an e-mail address`);
    return address;
  }
  if (type !== 'domain') return given;
  const isPattern = given.startsWith('*.');
  const domain = comparableDomain(isPattern ? given.slice(2) : given);
  if (domain === undefined) {
    throw new Error(
      `${JSON.stringify(text)}: expected a domain such as example.com, or *.example.com for its sub-domains`,
    );
  }
  return isPattern ? `*.${domain}` : domain;
}
