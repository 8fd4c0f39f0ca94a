/**
 * Owns the identity that GitHub's answers give. Names are in lower case, because GitHub compares them without case. A name that looks
 * like an id is left out: a stranger could register the id of somebody else as their name.
 */
import { z } from 'zod';
import type { Identity } from '../../federation/connector.ts';
import { label } from '../../federation/subject.ts';
import type { Listed } from './api.ts';

/** Only the id identifies, and only if JSON represents it without loss: a login can be changed and given to somebody else. */
export const user = z.looseObject({
  id: z.int().positive(),
  login: z.unknown().optional(),
  name: z.unknown().optional(),
});

const email = z.object({ email: z.string(), primary: z.boolean().optional(), verified: z.boolean().optional() });
const organization = z.object({ id: z.int().positive(), login: z.string() });
const team = z.object({ id: z.int().positive(), slug: z.string(), organization: z.object({ login: z.string() }) });

export interface Answers {
  readonly issuer: string;
  readonly person: z.infer<typeof user>;
  readonly emails: Listed;
  /** Absent: no rule needs them. */
  readonly orgs?: Listed | undefined;
  readonly teams?: Listed | undefined;
}

export function toIdentity({ issuer, person, emails, orgs, teams }: Answers): Identity {
  const addresses = fitting(emails.entries, email);
  const ordered = [...addresses.filter(({ primary }) => primary), ...addresses.filter(({ primary }) => !primary)];
  const verified = ordered.filter((entry) => entry.verified === true);
  // An address with characters that are not shown would look like another one; rules may still deny it.
  const shown = ordered.find((entry) => entry.primary && label(entry.email) === entry.email);
  const { id, login } = person;
  const organizations = orgs && fitting(orgs.entries, organization);
  return {
    issuer,
    subject: String(id),
    name: label(person.name),
    username: label(login),
    email: shown?.verified ? shown.email : undefined,
    verifiedEmails: verified.map((entry) => entry.email),
    unverifiedEmail: verified.length === 0 ? shown?.email : undefined,
    memberships: {
      user: namesOf(id, login),
      ...(organizations && { org: organizations.flatMap((entry) => namesOf(entry.id, entry.login)) }),
      ...(teams && {
        team: fitting(teams.entries, team).flatMap((entry) =>
          namesOf(entry.id, `${entry.organization.login}/${entry.slug}`),
        ),
      }),
    },
    organizations: organizations?.map((entry) => ({ id: String(entry.id), name: nameOf(entry.login) })),
    incomplete: {
      ...missingIn('email', emails, email),
      ...missingIn('org', orgs, organization),
      ...missingIn('team', teams, team),
    },
    claims: Object.fromEntries(CLAIMS.flatMap((name) => (name in person ? [[name, person[name]]] : []))),
  };
}

/** Members of a user that people can't write into their own profile; `ldap_dn` is GitHub Enterprise Server's. */
const CLAIMS = ['id', 'node_id', 'login', 'type', 'site_admin', 'ldap_dn'];

/** The entries that have the form; an odd one does not hide the others. */
const fitting = <T>(entries: readonly unknown[], shape: z.ZodType<T>): readonly T[] =>
  entries.flatMap((entry) => shape.safeParse(entry).data ?? []);

type ListType = 'email' | 'org' | 'team';

/** Why the list may lack an address, organisation or team that a rule denies. */
function missingIn(type: ListType, listed: Listed | undefined, shape: z.ZodType): Identity['incomplete'] {
  if (listed?.incomplete) return { [type]: listed.incomplete };
  const isWhole = listed?.entries.every((entry) => shape.safeParse(entry).success) ?? true;
  return isWhole ? {} : { [type]: 'GitHub lists an entry in an unknown form' };
}

const namesOf = (id: number, name: unknown): readonly string[] => [
  ...[nameOf(name)].filter((known) => known !== undefined),
  String(id),
];

const nameOf = (name: unknown): string | undefined =>
  typeof name === 'string' && name !== '' && !/^\d+$/.test(name) ? name.toLowerCase() : undefined;
