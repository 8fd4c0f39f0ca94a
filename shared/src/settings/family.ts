/**
 * Owns families of settings: things that the operator lists by id, such as connectors and issuers, each with the same settings by a
 * prefix of its own. `acme-eu` of the family CONNECTOR has the variables `CONNECTOR_ACME_EU_…`.
 */
import { z } from 'zod';
import { placeOf } from '../text/json-text.ts';
import { nearest, unknownMember } from '../text/nearest.ts';
import type { Environment, Problem, Setting, Settings } from './config.ts';
import { exactList, text } from './types.ts';

export const familyPrefix = (word: string, id: string): string => `${word}_${id.toUpperCase().replaceAll('-', '_')}_`;

/** Why an id can't have variables of its own, if it can't. @param before the ids that stand before it in the list */
export function flawOfId(word: string, id: string, before: readonly string[]): string | undefined {
  const conflicting = before.find((other) => familyPrefix(word, other) === familyPrefix(word, id));
  if (conflicting) return `${conflicting} and ${id} would use the same variables`;
  if (/^[a-z][a-z0-9-]{0,31}$/.test(id)) return undefined;
  return `an id may only contain lower-case letters, digits and hyphens (got ${JSON.stringify(id)})`;
}

/** Ids in their order, with the members that an object in JSON gives them. */
export type Named = ReadonlyMap<string, Environment>;

/** The setting that lists the ids, or is an object in JSON: `{"corp": {"URL": "https://…"}}`. */
export const named = (declared: Settings): z.ZodType<Named, string> =>
  text().transform((value, context): Named => {
    let message = 'expected at least one id';
    try {
      const found = readNamed(value, declared);
      if (found.size > 0) return found;
    } catch (error) {
      message = (error as Error).message;
    }
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const member = z.union([scalar, z.array(scalar).transform((all) => all.join())]);
const asJson = z.record(z.string(), z.record(z.string(), member));

function readNamed(value: string, declared: Settings): Named {
  if (!value.trim().startsWith('{')) {
    const ids = exactList().safeParse(value);
    if (!ids.success) throw new Error(ids.error.issues.map(({ message }) => message).join(', '));
    return new Map(ids.data.map((id) => [id, {}]));
  }
  const parsed = asJson.safeParse(fromJson(value));
  if (!parsed.success) throw new Error(flawAt(parsed.error.issues[0]?.path ?? []));
  const known = Object.values(declared).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env]));
  for (const [id, members] of Object.entries(parsed.data)) {
    const unknown = Object.keys(members).find((name) => !known.includes(name));
    if (unknown !== undefined) throw new Error(`${id}: ${unknownMember(unknown, known)}`);
  }
  return new Map(Object.entries(parsed.data));
}

function fromJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch (error) {
    throw new Error(`expected ids separated by commas, or valid JSON${placeOf(error)}`);
  }
}

function flawAt([id, name]: readonly PropertyKey[]): string {
  if (id === undefined) return 'expected an object: {"id": {"URL": "https://…"}}';
  const place = JSON.stringify(String(id));
  if (name === undefined) return `expected an object at ${place}: {"URL": "https://…"}`;
  return `expected a text, a number, true, false or a list of these at ${place}: ${JSON.stringify(String(name))}`;
}

/** The ids in such a setting, of whatever family. @returns nothing if it can't be read, which the service that uses it reports */
export function idsIn(value = ''): readonly string[] | undefined {
  if (!value.trim().startsWith('{')) return value.split(/[\s,]+/).filter(Boolean);
  try {
    return Object.keys(JSON.parse(value));
  } catch {
    return undefined;
  }
}

/** Members that have a variable too: which of both is meant is not known. @param list the setting that has them in JSON */
export const setTwice = (members: Environment, env: Environment, prefix: string, list: string): readonly Problem[] =>
  Object.keys(members)
    .filter((name) => env[prefix + name])
    .map((name) => ({ env: prefix + name, message: `is set here and in ${list}: keep one` }));

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
