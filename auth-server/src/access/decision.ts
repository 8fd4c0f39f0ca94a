/**
 * Owns the decision about a person: the accounts that the connector accepts, the rules that allow and the rules that deny, of which a
 * denial wins. It is a pure function of the identity and the rules, and names the rule or setting that decided.
 */
import { textsAt, unreadAt } from '@mcp-oauth/shared/claim-path';
import type { Acceptance, Identity, Membership } from '../federation/connector.ts';
import { comparableDomain, comparableEmail, domainOf } from './rules/address.ts';
import type { Rule } from './rules/rule.ts';
import type { RuleIndex } from './rules/rule-list.ts';

export interface Rules {
  /** `undefined`: nothing is set, and everybody may come in. Production does not start like this. */
  readonly allow: RuleIndex | undefined;
  readonly deny: RuleIndex;
  readonly acceptance?: Acceptance | undefined;
}

export interface Decision {
  readonly isAllowed: boolean;
  /** For the log: the rule that decided, or why none did. */
  readonly reason: string;
  /** For the log: rules that did not count, although the operator may expect it. */
  readonly notes: readonly string[];
  /** Whether what the person approved ends. Absent: after a mistake in a rule, nobody has to approve again. */
  readonly isFinal?: boolean | undefined;
  /** Whether a new sign-in decides: a rule or setting asks for something that was not stored at the last one. */
  readonly needsSignIn?: boolean | undefined;
}

/** Why a person is refused about whom too little is known. */
type Undecided = Pick<Decision, 'reason' | 'needsSignIn'>;

const MEMBERSHIPS: readonly Membership[] = ['user', 'group', 'role', 'org', 'team'];

export function decide(identity: Identity, { allow, deny, acceptance }: Rules): Decision {
  const foreign = acceptance && refusedBy(acceptance, identity);
  if (foreign) return foreign;
  const notes = notesOn(identity, [...(allow ? [allow] : []), deny]);
  const denying = matching(identity, deny);
  if (denying) return { isAllowed: false, reason: `denied by ${denying.text}`, notes };
  const undecided = undecidedBy(identity, deny);
  if (undecided) return { isAllowed: false, ...undecided, notes };
  if (!allow) return { isAllowed: true, reason: 'no rule is set', notes };
  const allowing = matching(identity, allow);
  if (allowing) return { isAllowed: true, reason: `allowed by ${allowing.text}`, notes };
  return { isAllowed: false, reason: ['no rule allows this person', ...notes].join('; '), notes };
}

/** The account is another one than this server is for, so its approvals end. */
function refusedBy({ env, needs = [], refusalOf }: Acceptance, identity: Identity): Decision | undefined {
  const refused = { isAllowed: false, notes: [] };
  if (needs.some((type) => !isKnown(identity, { type }))) return { ...refused, ...newer(env, 'setting') };
  const reason = refusalOf(identity);
  return reason === undefined ? undefined : { ...refused, reason, isFinal: true };
}

const newer = (text: string, what: 'rule' | 'setting'): Undecided => ({
  reason: `${text} can't be decided before the next sign-in: the ${what} is newer than the last one`,
  needsSignIn: true,
});

/** A denial that the person may match: what decides it is not known. */
function undecidedBy(identity: Identity, deny: RuleIndex): Undecided | undefined {
  const gaps = gapsIn(identity, deny);
  for (const rule of deny.rules) {
    const { type, text, path } = rule;
    const why = gaps.get(path === undefined ? type : `claim:${path}`);
    if (why !== undefined) return { reason: `${text} can't be decided: ${why}` };
    if (!isKnown(identity, rule)) return newer(text, 'rule');
  }
  return undefined;
}

/** Why something that rules ask for is not known completely, by the type of rule or `claim:<path>`. A list may have thousands of rules. */
function gapsIn(identity: Identity, { claimPaths }: RuleIndex): ReadonlyMap<string, string | undefined> {
  const { incomplete = {}, claims, domains } = identity;
  const odd = addressesOf(identity).some(isOdd)
    ? 'an e-mail address of the person has a form that is not compared'
    : undefined;
  const address = incomplete.email ?? odd;
  return new Map([
    ...Object.entries(incomplete),
    ['email', address],
    ['domain', domains ? undefined : address],
    ...claimPaths.map((path) => [`claim:${path}`, unreadAt(claims, path)] as const),
  ]);
}

/** Whether only the local part is not compared: such an address may be another spelling of one that a rule denies. */
const isOdd = (address: string): boolean =>
  address.includes('@') && comparableEmail(address) === undefined && comparableDomain(domainOf(address)) !== undefined;

const isKnown = ({ known }: Identity, { type, path }: Pick<Rule, 'type' | 'path'>): boolean =>
  known === undefined ||
  type === 'anyone' ||
  type === 'subject' ||
  known.includes(path === undefined ? type : `claim:${path}`);

/** The first rule of the list that this person matches. */
export function matching(identity: Identity, rules: RuleIndex): Rule | undefined {
  return rules.find('anyone', '') ?? byEmail(identity, rules) ?? byUpstream(identity, rules);
}

function byEmail(identity: Identity, rules: RuleIndex): Rule | undefined {
  for (const address of verifiedEmailsOf(identity)) {
    const rule = rules.find('email', address);
    if (rule) return rule;
  }
  for (const domain of domainsOf(identity)) {
    const rule = rules.find('domain', domain) ?? bySuffix(domain, rules);
    if (rule) return rule;
  }
  return undefined;
}

/** `*.example.com` matches `a.example.com` and `b.a.example.com`, and not `example.com`. */
function bySuffix(domain: string, rules: RuleIndex): Rule | undefined {
  for (let dot = domain.indexOf('.'); dot > 0; dot = domain.indexOf('.', dot + 1)) {
    const rule = rules.find('domain', `*${domain.slice(dot)}`);
    if (rule) return rule;
  }
  return undefined;
}

function byUpstream(identity: Identity, rules: RuleIndex): Rule | undefined {
  const bySubject = rules.find('subject', identity.subject);
  if (bySubject) return bySubject;
  for (const type of MEMBERSHIPS) {
    for (const value of identity.memberships?.[type] ?? []) {
      const rule = rules.find(type, value);
      if (rule) return rule;
    }
  }
  for (const path of rules.claimPaths) {
    for (const value of textsAt(identity.claims ?? {}, path)) {
      const rule = rules.find('claim', `${path}=${value}`);
      if (rule) return rule;
    }
  }
  return undefined;
}

const isText = (value: string | undefined): value is string => value !== undefined;

/** A connector that reports no list reports one address. An identity that was stored without any has none that counts. */
function addressesOf(identity: Identity): readonly string[] {
  const { verifiedEmails, email } = identity;
  return verifiedEmails ?? (isKnown(identity, { type: 'email' }) ? [email].filter(isText) : []);
}

const verifiedEmailsOf = (identity: Identity): readonly string[] =>
  addressesOf(identity).map(comparableEmail).filter(isText);

const domainsOf = (identity: Identity): readonly string[] =>
  identity.domains?.map(comparableDomain).filter(isText) ?? verifiedEmailsOf(identity).map(domainOf);

function notesOn(identity: Identity, lists: readonly RuleIndex[]): readonly string[] {
  const has = (type: Rule['type']) => lists.some((list) => list.ofType(type).length > 0);
  const found: string[] = [];
  if ((has('email') || has('domain')) && domainsOf(identity).length + verifiedEmailsOf(identity).length === 0) {
    const why = identity.unverifiedEmail
      ? 'does not say that the e-mail address is verified'
      : 'sent no e-mail address';
    found.push(`rules for e-mail and domain do not count, because the identity provider ${why}`);
  }
  for (const type of [...MEMBERSHIPS, 'email'] as const) {
    const reason = identity.incomplete?.[type];
    if (reason && (has(type) || (type === 'email' && has('domain'))))
      found.push(`the list for ${type} is not complete: ${reason}`);
  }
  for (const path of new Set(lists.flatMap(({ claimPaths }) => claimPaths))) {
    const reason = unreadAt(identity.claims, path);
    if (reason) found.push(`a rule about a claim did not see all of it: ${reason}`);
  }
  return found;
}
