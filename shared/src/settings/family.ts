/**
 * Owns families of settings: things that the operator lists by id, such as connectors and issuers, each with the same settings by a
 * prefix of its own. `acme-eu` of the family CONNECTOR has the variables `CONNECTOR_ACME_EU_…`.
 */
import { nearest } from '../text/nearest.ts';
import type { Environment, Problem, Setting, Settings } from './config.ts';

export const familyPrefix = (word: string, id: string): string => `${word}_${id.toUpperCase().replaceAll('-', '_')}_`;

/** Why an id can't have variables of its own, if it can't. @param before the ids that stand before it in the list */
export function flawOfId(word: string, id: string, before: readonly string[]): string | undefined {
  const conflicting = before.find((other) => familyPrefix(word, other) === familyPrefix(word, id));
  if (conflicting) return `${conflicting} and ${id} would use the same variables`;
  if (/^[a-z][a-z0-9-]{0,31}$/.test(id)) return undefined;
  return `an id may only contain lower-case letters, digits and hyphens (got ${JSON.stringify(id)})`;
}

/** The environment with `defaults`, named without the prefix, for what it does not set. */
export function withDefaults(env: Environment, prefix: string, defaults: Environment = {}): Environment {
  const missing = Object.entries(defaults).filter(([name]) => !env[prefix + name] && !env[`${prefix + name}_FILE`]);
  return { ...env, ...Object.fromEntries(missing.map(([name, value]) => [prefix + name, value])) };
}

interface Members {
  readonly declared: Settings;
  /** Names of variables that are known besides the declared ones. */
  readonly more?: readonly string[];
  readonly env: Environment;
  readonly prefix: string;
  /** Prefixes of the others: a variable belongs to the one with the longest matching prefix. */
  readonly others: readonly string[];
  /** What they are settings of, for the message. */
  readonly owner: string;
  /** Why members are missing that others have. */
  readonly lacks?: Readonly<Record<string, string>> | undefined;
}

/** Variables with this prefix that are no settings: a mistyped one would otherwise be ignored silently. */
export function unknownMembers({ declared, more = [], env, prefix, others, owner, lacks = {} }: Members): Problem[] {
  const longer = others.filter((other) => other.length > prefix.length);
  const all: readonly Setting<unknown>[] = Object.values(declared);
  const known = [...more, ...all.map(({ env: name }) => name)];
  const fromFile = all.filter(({ secret }) => secret).map(({ env: name }) => `${name}_FILE`);
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && env[name])
    .filter((name) => !longer.some((other) => name.startsWith(other)))
    .map((name) => name.slice(prefix.length))
    .filter((member) => !known.includes(member) && !fromFile.includes(member))
    .map((member) => {
      const reason = Object.hasOwn(lacks, member) ? lacks[member] : undefined;
      const hint = reason === undefined ? hintFor(member, { prefix, known, fromFile }) : `: ${reason}`;
      return { env: prefix + member, message: `is not a setting of ${owner}${hint}` };
    });
}

interface Names {
  readonly prefix: string;
  readonly known: readonly string[];
  readonly fromFile: readonly string[];
}

function hintFor(member: string, { prefix, known, fromFile }: Names): string {
  const meant = nearest(member, [...known, ...fromFile]) ?? known.find((name) => sharesWords(name, member));
  return meant ? `; did you mean ${prefix}${meant}?` : `; known: ${known.join(', ')}`;
}

/** `SECRET` is part of CLIENT_SECRET, and ISSUER is part of `ISSUER_URL`. */
const sharesWords = (one: string, other: string): boolean =>
  `_${one}_`.includes(`_${other}_`) || `_${other}_`.includes(`_${one}_`);
