/** Owns the personal tokens of people and services: who may have which, their list, and how they end. */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Access } from '../access/access.ts';
import type { PassThrough } from '../access/gate.ts';
import type { Account, Accounts } from '../federation/account.ts';
import { tokenClaims } from '../resources/person-claims.ts';
import type { Resource, Resources } from '../resources/resource.ts';
import type { StatusLists } from '../revocation/status-lists.ts';
import { createTokenEndings, type TokenEndings } from './ending.ts';
import { type Granted, type IssueDependencies, type IssuedToken, issueToken } from './issue.ts';
import type { Limits } from './settings.ts';
import { isServiceName, type Owner, ownerOf, type PersonalToken, subjectOf, TokenRefused, tokenName } from './token.ts';

/** What somebody asks for. */
export interface NewToken {
  readonly name: string;
  /** Seconds. */
  readonly lifetime: number;
  /** An identifier of the resource. */
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly id?: string | undefined;
}

interface OwnedTokens {
  readonly owner: Owner;
  readonly tokens: readonly PersonalToken[];
}

export interface PersonalTokens extends TokenEndings {
  /** @throws TokenRefused */
  addForPerson(accountId: string, asked: NewToken): Promise<IssuedToken>;
  /** Asks for no rights: the operator decides. @throws TokenRefused */
  addForService(name: string, asked: NewToken): Promise<IssuedToken>;
  /** The scopes that a token of this person may have at this resource. */
  scopesFor(account: Account, resource: Resource): readonly string[];
  list(owner: Owner): Promise<readonly PersonalToken[]>;
  /** Those of everybody, for the operator. */
  all(): Promise<readonly OwnedTokens[]>;
}

export interface PersonalTokensDependencies extends IssueDependencies {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly resources: Resources;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly passThrough: PassThrough;
  readonly access: Pick<Access, 'permitted'>;
  readonly status: Pick<StatusLists, 'allocate' | 'uriOf' | 'mark'>;
  /** Bytes of the claims about a person in one token. */
  readonly maxTokenClaimsSize: number;
}

export function createPersonalTokens(dependencies: PersonalTokensDependencies): PersonalTokens {
  const { limits, resources, records, owners, clock, maxTokenClaimsSize } = dependencies;
  const { accounts, passThrough, access } = dependencies;

  const scopesFor = (account: Account, { scopes, baseScopes }: Resource): readonly string[] => {
    const offered = Object.keys(scopes).filter((name) => limits.scopes?.has(name) ?? true);
    return access.permitted(account, offered, baseScopes);
  };

  /** What is checked for everybody. */
  async function checked(owner: Owner, { name, lifetime, resource: identifier, scopes, id }: NewToken) {
    const named = tokenName(name);
    if (named === undefined) throw new TokenRefused('name', 'the name must be text of 1 to 60 characters in one line');
    const resource = resources.find(identifier);
    if (!resource) throw new TokenRefused('resource', `the resource ${JSON.stringify(identifier)} is not known`);
    if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > limits.lifetime) {
      throw new TokenRefused('lifetime', `the lifetime must be at most ${limits.lifetime} s (PERSONAL_TOKEN_LIFETIME)`);
    }
    await resource.ready();
    const known = Object.keys(resource.scopes);
    const chosen = known.filter((scope) => scopes.includes(scope));
    const unknown = scopes.find((scope) => !known.includes(scope));
    if (unknown !== undefined) {
      if (!resource.isCertain)
        throw new TokenRefused('resource', 'the scopes of the resource cannot be read: try again');
      throw new TokenRefused(
        'scope',
        `the resource has no scope ${JSON.stringify(unknown)}; possible: ${known.join(' ')}`,
      );
    }
    if (chosen.length === 0) throw new TokenRefused('scope', 'at least one scope is needed');
    return { resource, granted: { owner, name: named, resource, scopes: chosen, lifetime, id } };
  }

  return {
    ...createTokenEndings(dependencies),
    scopesFor,
    addForPerson: async (accountId, asked) => {
      if (limits.offered !== 'on') throw new TokenRefused('off', `PERSONAL_TOKENS is ${limits.offered}`);
      const { resource, granted } = await checked({ kind: 'person', accountId }, asked);
      const stored = await accounts.find(accountId);
      if (!stored) throw new TokenRefused('refused', 'the person is not known');
      const { account, refusal } = await passThrough(stored, 'token', seconds(clock));
      if (refusal) throw new TokenRefused('refused', refusal.reason);
      const mine = scopesFor(account, resource);
      const beyond = granted.scopes.find((scope) => !mine.includes(scope));
      if (beyond !== undefined) throw new TokenRefused('scope', `the person may not have the scope ${beyond}`);
      const { claims } = tokenClaims(account.identity, resource.claims, maxTokenClaimsSize);
      return issueToken({ ...granted, claims } satisfies Granted, dependencies);
    },
    addForService: async (name, asked) => {
      if (limits.offered === 'off') throw new TokenRefused('off', 'PERSONAL_TOKENS is off: no token would be accepted');
      if (!isServiceName(name)) {
        throw new TokenRefused('name', 'the name of a service has 1 to 40 of the characters a-z, 0-9 and hyphens');
      }
      const { granted } = await checked({ kind: 'service', name }, asked);
      return issueToken({ ...granted, claims: {} } satisfies Granted, dependencies);
    },
    list: (owner) => records.of(subjectOf(owner)),
    all: async () => {
      const found: OwnedTokens[] = [];
      for await (const subject of owners.all()) {
        found.push({ owner: ownerOf(subject), tokens: await records.of(subject) });
      }
      return found;
    },
  };
}
