/**
 * Owns the decision about a person: the rules that allow and the rules that deny, of which a denial wins. It is a pure function of
 * the identity and the rules, and names the rule that decided.
 */
import { textsAt } from '../federation/claim-path.ts';
import type { Identity, Membership } from '../federation/connector.ts';
import { comparableDomain, comparableEmail, domainOf, type Rule } from './rule.ts';
import type { RuleIndex } from './rule-list.ts';

export interface Rules {
  /** `undefined`: nothing is set, and everybody may come in. Production does not start like this. */
  readonly allow: RuleIndex | undefined;
  readonly deny: RuleIndex;
}

export interface Decision {
  readonly isAllowed: boolean;
  /** For the log: the rule that decided, or why none did. */
  readonly reason: string;
}

const MEMBERSHIPS: readonly Membership[] = ['user', 'group', 'role', 'org', 'team'];

export function decide(identity: Identity, { allow, deny }: Rules): Decision {
  const denying = matching(identity, deny);
  if (denying) return { isAllowed: false, reason: `denied by ${denying.text}` };
  const unknown = MEMBERSHIPS.find((type) => identity.incomplete?.[type] && deny.ofType(type).length > 0);
  if (unknown) {
    const [rule] = deny.ofType(unknown);
    return { isAllowed: false, reason: `${rule?.text} can't be decided: ${identity.incomplete?.[unknown]}` };
  }
  if (!allow) return { isAllowed: true, reason: 'no rule is set' };
  const allowing = matching(identity, allow);
  if (allowing) return { isAllowed: true, reason: `allowed by ${allowing.text}` };
  return { isAllowed: false, reason: ['no rule allows this person', ...notes(identity, allow)].join('; ') };
}

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
  return rules.ofType('claim').find(({ path = '', value }) => textsAt(identity.claims ?? {}, path).includes(value));
}

const isText = (value: string | undefined): value is string => value !== undefined;

/** An identity that an earlier version stored has one address, which was verified. */
const verifiedEmailsOf = ({ verifiedEmails, email }: Identity): readonly string[] =>
  (verifiedEmails ?? [email].filter(isText)).map(comparableEmail).filter(isText);

const domainsOf = (identity: Identity): readonly string[] =>
  identity.domains?.map(comparableDomain).filter(isText) ?? verifiedEmailsOf(identity).map(domainOf);

/** Why rules did not apply although the operator may expect it. */
function notes(identity: Identity, allow: RuleIndex): readonly string[] {
  const found: string[] = [];
  const asksForEmail = allow.ofType('email').length + allow.ofType('domain').length > 0;
  if (asksForEmail && domainsOf(identity).length + verifiedEmailsOf(identity).length === 0) {
    const why = identity.unverifiedEmail
      ? 'does not say that the e-mail address is verified'
      : 'sent no e-mail address';
    found.push(`rules for e-mail and domain do not count, because the identity provider ${why}`);
  }
  for (const type of MEMBERSHIPS) {
    const reason = identity.incomplete?.[type];
    if (reason && allow.ofType(type).length > 0) found.push(`the list for ${type} is not complete: ${reason}`);
  }
  return found;
}
