/**
 * Owns the rules of all connectors together: the gate that every person passes, the scopes that a person may have, and what the
 * rules need to know about a person.
 */
import type { Account } from '../federation/account.ts';
import type { Identity } from '../federation/connector.ts';
import { isAdmin } from './admins.ts';
import { type Decision, decide, type Rules } from './decision.ts';
import type { Gate } from './gate.ts';
import type { Rule } from './rules/rule.ts';
import type { RuleFiles } from './rules/rule-files.ts';
import { indexOf, type RuleIndex, type RuleList } from './rules/rule-list.ts';
import { permittedPatterns, permittedScopes, type ScopeRule } from './scope-rules.ts';
import type { ConnectorRules } from './settings.ts';
import { type StartLine, startLineOf } from './start-line.ts';
import { type Needs, storedIdentity } from './stored-identity.ts';

export interface Access {
  readonly gate: Gate;
  /** @returns the decision about a person of this connector, by the current rules */
  decide(connector: string, identity: Identity): Promise<Decision>;
  /** The scopes of `names` that this account may have. @param free scopes that nobody needs a rule for */
  permitted(account: Account, names: readonly string[], free: ReadonlySet<string>): readonly string[];
  /** Whether anybody may use the pages of the operator. */
  readonly hasAdmins: boolean;
  /** Whether this account may use the pages of the operator, by the current rules; the gates are asked besides. */
  isAdmin(account: Account): Promise<boolean>;
  /** The patterns of scopes that this person may have beyond the base scope; `*` without scope rules. */
  scopesOf(connector: string, identity: Identity): readonly string[];
  /** What the current rules of a connector read. */
  needs(connector: string): Needs;
  /** Who may come in by the current rules, in words; `undefined` without such a connector. @param title of the provider */
  inWords(connector: string, title: string): StartLine | undefined;
  /** The account with nothing but what the rules need. */
  stored(account: Account): Account;
}

export interface AccessDependencies {
  /** By the id of the connector. */
  readonly connectors: ReadonlyMap<string, ConnectorRules>;
  readonly files: RuleFiles;
  /** What is stored besides, for tokens. */
  readonly alsoNeeds?: Needs | undefined;
  /** Called at the sign-in of a person who may come in, for rules that did not count. */
  readonly onNote?: ((connector: string, note: string) => void) | undefined;
}

/** For the client: the person has read the reason on our page, or reads it at the next sign-in. */
const DESCRIPTION = 'This account may not use this server. If this is a mistake, ask the operator of this server.';
const RULES_CHANGED = 'The rules have changed since this user signed in. Sign in again.';

interface Compiled extends Rules {
  readonly scopes: readonly ScopeRule<RuleIndex>[] | undefined;
  readonly admins: RuleIndex | undefined;
}

export function createAccess({ connectors, files, alsoNeeds, onNote }: AccessDependencies): Access {
  const compiled = new Map<string, { readonly revision: number; readonly rules: Compiled }>();

  const rulesOf = (connector: string): Compiled | undefined => {
    const configured = connectors.get(connector);
    if (!configured) return undefined;
    const known = compiled.get(connector);
    if (known?.revision === files.revision()) return known.rules;
    const rules = compile(configured, files);
    compiled.set(connector, { revision: files.revision(), rules });
    return rules;
  };
  const decideNow = async (connector: string, identity: Identity): Promise<Decision> => {
    await files.refresh();
    const rules = rulesOf(connector);
    return rules
      ? decide(identity, rules)
      : { isAllowed: false, reason: `the connector ${connector} is not configured`, notes: [] };
  };
  const needs = (connector: string): Needs => ({
    has: (type) => (alsoNeeds?.has(type) ?? false) || rulesIn(rulesOf(connector)).some((rule) => rule.type === type),
    get claims() {
      const paths = rulesIn(rulesOf(connector)).flatMap(({ path }) => path ?? []);
      return [...new Set([...paths, ...(alsoNeeds?.claims ?? [])])];
    },
  });
  const kept = (connector: string): Needs => {
    const { has, claims } = needs(connector);
    const compared = connectors.get(connector)?.acceptance?.needs ?? [];
    return { has: (type) => has(type) || compared.includes(type), claims };
  };
  return {
    decide: decideNow,
    hasAdmins: [...connectors.values()].some(({ admins }) => admins !== undefined),
    isAdmin: async ({ connector, identity }) => {
      await files.refresh();
      return isAdmin(identity, rulesOf(connector)?.admins);
    },
    scopesOf: (connector, identity) => permittedPatterns(identity, rulesOf(connector)?.scopes),
    needs,
    gate: async ({ connector, identity }, occasion) => {
      const { isAllowed, reason, notes, isFinal, needsSignIn } = await decideNow(connector, identity);
      if (occasion === 'sign-in' && isAllowed) for (const note of notes) onNote?.(connector, note);
      const description = needsSignIn ? RULES_CHANGED : DESCRIPTION;
      return isAllowed ? undefined : { refusal: { reason, description, isFinal } };
    },
    permitted: ({ connector, identity }, names, free) => {
      const rules = rulesOf(connector);
      return rules ? permittedScopes(identity, names, rules.scopes, free) : [];
    },
    inWords: (connector, title) => {
      const configured = connectors.get(connector);
      return configured && startLineOf(configured, files, title);
    },
    stored: (account) => ({ ...account, identity: storedIdentity(account.identity, kept(account.connector)) }),
  };
}

function compile(
  { allow, deny, scopes, admins, caseInsensitive, acceptance }: ConnectorRules,
  files: RuleFiles,
): Compiled {
  const index = (lists: readonly RuleList[]): RuleIndex => {
    const rules = lists.flatMap((list) => [...list.rules, ...list.files.flatMap((path) => files.rulesIn(path))]);
    return indexOf(rules, caseInsensitive);
  };
  return {
    allow: allow && index([allow]),
    deny: index(deny),
    acceptance,
    scopes: scopes?.map(({ pattern, people }) => ({ pattern, people: index([people]) })),
    admins: admins && index([admins]),
  };
}

const rulesIn = (rules: Compiled | undefined): readonly Rule[] => [
  ...(rules?.allow?.rules ?? []),
  ...(rules?.deny.rules ?? []),
  ...(rules?.scopes?.flatMap(({ people }) => people.rules) ?? []),
  ...(rules?.admins?.rules ?? []),
];
