/**
 * Owns ISSUERS: several issuers for one resource, each with its own variables (`ISSUER_CORP_URL`) or as an object in JSON. Nothing of one
 * issuer holds for another.
 */
import { resourceIdentifiers } from '@mcp-oauth/shared/contract';
import {
  type Environment,
  optional,
  type Problem,
  readSettings,
  type Settings,
} from '@mcp-oauth/shared/settings/config';
import {
  familyPrefix,
  flawOfId,
  type Named,
  named,
  setTwice,
  unknownMembers,
  withDefaults,
} from '@mcp-oauth/shared/settings/family';
import { type ConfiguredIssuer, configuredIssuer, judgeIssuer, withPreset } from './configured.ts';
import { judgePlaces } from './restated/settings.ts';
import { type IssuerValues, issuerSettings, memberOf, settingsOfSeveral } from './settings.ts';

const DECLARED = Object.values<{ readonly env: string; readonly secret?: true }>(settingsOfSeveral);
const MEMBERS = DECLARED.map(({ env }) => env);
/** A problem of ISSUERS is reported with its value. */
const SECRETS = DECLARED.filter(({ secret }) => secret).map(({ env }) => env);

export const severalSettings = {
  issuers: optional({
    env: 'ISSUERS',
    doc: 'Ids of several issuers, whose tokens are all accepted. The id `corp` is configured by `ISSUER_CORP_…`, as [listed](#several-issuers), instead of ISSUER and the settings of its tokens. Or an object in JSON: `{"corp": {"URL": "https://…", "PRESET": "entra"}}`.',
    type: named(settingsOfSeveral),
    example: 'corp,ci',
    mayHoldSecret: true,
  }),
} as const;

const OF_ONE = Object.values<{ env: string }>(issuerSettings).map(({ env }) => env);

/** Where the one issuer is does not matter then: ISSUER is also a setting of auth-server. The clock is that of this machine. */
const HARMLESS = new Set(['ISSUER', 'ISSUER_INTERNAL_URL', 'JWKS_URL', 'CLOCK_TOLERANCE']);

interface Context {
  readonly env: Environment;
  readonly publicUrl: string;
  readonly environment: string | undefined;
}

interface Reading {
  readonly issuers: readonly ConfiguredIssuer[];
  readonly problems: readonly Problem[];
}

export function readIssuers(several: Named, context: Context): Reading {
  const { env } = context;
  const ids = [...several.keys()];
  const prefixes = ids.map((id) => familyPrefix('ISSUER', id));
  const issuers: ConfiguredIssuer[] = [];
  const misplaced = OF_ONE.filter(
    (name) => env[name] && !HARMLESS.has(name) && !prefixes.some((prefix) => name.startsWith(prefix)),
  );
  const problems: Problem[] = misplaced.map((name) => ({
    env: name,
    message: `is for one issuer, and ISSUERS names several: set ${ofFirst(ids, name)} instead`,
  }));
  for (const [index, [id, members]] of [...several].entries()) {
    const flaw = flawOfId('ISSUER', id, ids.slice(0, index)) ?? taken(id);
    const found = flaw
      ? { issuers: [], problems: [{ env: 'ISSUERS', message: flaw }] }
      : readIssuer(id, members, context, prefixes);
    const conflicts = found.issuers.flatMap((issuer) => [...twice(issuer, issuers), ...bothAsked(issuer, issuers)]);
    problems.push(...found.problems, ...conflicts);
    issuers.push(...found.issuers);
  }
  const parties = issuers.map(({ id, url, restated }) => ({
    url,
    isHere: restated !== undefined,
    setting: `${familyPrefix('ISSUER', id)}METADATA`,
  }));
  return { issuers, problems: [...problems, ...judgePlaces(parties, context.publicUrl)] };
}

const ofFirst = (ids: readonly string[], name: string): string =>
  familyPrefix('ISSUER', ids[0] ?? 'id') + memberOf(name);

/** `internal` would have the variable ISSUER_INTERNAL_URL, which is a setting of its own. */
function taken(id: string): string | undefined {
  const own = MEMBERS.map((name) => familyPrefix('ISSUER', id) + name);
  const other = own.find((name) => OF_ONE.includes(name));
  return other && `the id ${id} would use the variable ${other}, which is a setting of its own`;
}

function readIssuer(id: string, members: Environment, context: Context, others: readonly string[]): Reading {
  const prefix = familyPrefix('ISSUER', id);
  const variable = (name: string): string => prefix + memberOf(name);
  const shown = SECRETS.filter((name) => members[name]).map((name) => ({
    env: prefix + name,
    message: 'is a secret and must not be in ISSUERS: set this variable, or its name with _FILE in ISSUERS',
  }));
  const clock = { CLOCK_TOLERANCE: context.env.CLOCK_TOLERANCE || undefined };
  const own = withDefaults(context.env, prefix, members);
  const env = withPreset(withDefaults(own, prefix, clock), variable);
  const declared: Settings = settingsOfSeveral;
  const { values, problems: unreadable } = readSettings(declared, env, prefix);
  const found = values as IssuerValues;
  const problems = [
    ...shown,
    ...setTwice(members, context.env, prefix, 'ISSUERS'),
    ...unreadable,
    ...unknownMembers({ declared, env: own, prefix, others, owner: `the issuer ${id}` }),
    ...judgeIssuer(found, variable, context.environment),
  ];
  if (problems.length > 0) return { issuers: [], problems };
  const audiences = resourceIdentifiers(context.publicUrl);
  return { issuers: [configuredIssuer(id, found, { audiences, variable })], problems };
}

/** A token must have one issuer: the rules of another one with the same name would never be used. */
function twice(issuer: ConfiguredIssuer, before: readonly ConfiguredIssuer[]): readonly Problem[] {
  const names = issuer.rules.map((rules) => rules.issuer);
  const same = before.find(({ rules }) => rules.some((other) => names.includes(other.issuer)));
  if (!same) return [];
  return [{ env: 'ISSUERS', message: `${same.id} and ${issuer.id} are the same issuer` }];
}

/** An opaque token does not say whose it is, and a token of one issuer must not be sent to another. */
function bothAsked(issuer: ConfiguredIssuer, before: readonly ConfiguredIssuer[]): readonly Problem[] {
  const other = issuer.introspection && before.find(({ introspection }) => introspection !== undefined);
  if (!other) return [];
  const env = `${familyPrefix('ISSUER', issuer.id)}INTROSPECTION`;
  return [{ env, message: `${other.id} is asked about opaque tokens already, and each token goes to one issuer only` }];
}
