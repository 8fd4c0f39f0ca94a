/** Owns the settings of the rules about people, in general and of one connector, and what production demands of them. */
import { optional, type Problem, type Values } from '@mcp-oauth/shared/settings/config';
import { z } from 'zod';
import type { Acceptance, RuleType } from '../federation/connector.ts';
import { type ConfiguredConnector, variablePrefix } from '../federation/registry.ts';
import type { ConnectorFederation } from '../federation/settings.ts';
import { parseRuleList, type RuleList } from './rules/rule-list.ts';
import { parseScopeRules, type ScopeRule } from './scope-rules.ts';

const read =
  <T>(parse: (written: string) => T) =>
  (): z.ZodType<T, string> =>
    z.string().transform((written, context): T => {
      try {
        return parse(written);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    });

const ruleList = read<RuleList>(parseRuleList);
const scopeRules = read<readonly ScopeRule[]>(parseScopeRules);

const RULES =
  'rules separated by commas: domain:, email:, subject:, user:, group:, role:, org:, team:, claim:PATH=VALUE, file:PATH, or anyone';

export const accessSettings = {
  peopleAllow: optional({
    env: 'PEOPLE_ALLOW',
    doc: `Who may come in, for connectors without a CONNECTOR_<ID>_ALLOW of their own: ${RULES}. Production requires one of the two for each connector.`,
    type: ruleList(),
    example: 'domain:example.com,email:bob@partner.example',
  }),
  peopleDeny: optional({
    env: 'PEOPLE_DENY',
    doc: 'Who may not come in, whatever the connector; the same rules as in PEOPLE_ALLOW. A denial wins.',
    type: ruleList(),
    example: 'email:mallory@example.com',
  }),
  scopeRules: optional({
    env: 'SCOPE_RULES',
    doc: 'Who may have a scope beyond the base scope: scopes, or beginnings followed by *, each with rules as in PEOPLE_ALLOW, separated by semicolons; or a JSON object; or none. Not set: everybody who may come in may have every scope. Once set, a scope that is not in it is for nobody, so none closes all; but `upstream:<connector>` is for everybody unless a pattern names it.',
    type: scopeRules(),
    example: 'mcp:admin=group:ops',
  }),
  admins: optional({
    env: 'ADMINS',
    doc: 'Who may use the pages of the operator at /admin: the same rules as in PEOPLE_ALLOW, without anyone. They must be people who may come in. Not set: nobody, and /admin answers 404.',
    type: ruleList(),
    example: 'email:alice@example.com',
  }),
};

/** Settings of each connector, whatever its kind. */
export const connectorAccessSettings = {
  allow: optional({
    env: 'ALLOW',
    doc: `Who may come in with this connector, instead of PEOPLE_ALLOW: ${RULES}.`,
    type: ruleList(),
    example: 'domain:example.com',
  }),
  deny: optional({
    env: 'DENY',
    doc: 'Who may not come in with this connector, besides PEOPLE_DENY. A denial wins.',
    type: ruleList(),
    example: 'group:contractors',
  }),
  scopeRules: optional({
    env: 'SCOPE_RULES',
    doc: 'Who of this connector may have a scope beyond the base scope, instead of SCOPE_RULES.',
    type: scopeRules(),
    example: 'mcp:admin=group:ops',
  }),
  admins: optional({
    env: 'ADMINS',
    doc: 'Who of this connector may use the pages of the operator at /admin, instead of ADMINS.',
    type: ruleList(),
    example: 'group:operators',
  }),
};

export type ConnectorAccess = Values<typeof connectorAccessSettings>;

/** The rules of one connector as they are configured: its own, or the general ones. */
export interface ConnectorRules {
  readonly allow: RuleList | undefined;
  readonly deny: readonly RuleList[];
  readonly scopes: readonly ScopeRule[] | undefined;
  /** Who may use the pages of the operator. Absent: nobody. */
  readonly admins?: RuleList | undefined;
  /** Types of rules that are compared without case. */
  readonly caseInsensitive: readonly RuleType[];
  /** Which accounts the connector accepts by its own settings. Absent: all. */
  readonly acceptance?: Acceptance | undefined;
}

interface AccessSettings extends Partial<Values<typeof accessSettings>> {
  readonly environment?: string | undefined;
}

export function judgeAccess(settings: AccessSettings, connectors: readonly ConfiguredConnector[]): readonly Problem[] {
  return [
    ...connectors.flatMap((connector) => judgeConnector(connector, settings)),
    ...judgeGeneral('PEOPLE_ALLOW', listsOf(settings.peopleAllow), users(connectors, 'allow')),
    ...judgeGeneral('SCOPE_RULES', scopeListsOf(settings.scopeRules), users(connectors, 'scopeRules')),
    ...judgeGeneral('ADMINS', listsOf(settings.admins), users(connectors, 'admins')),
    ...everybody('ADMINS', settings.admins),
    ...unsupported('PEOPLE_DENY', listsOf(settings.peopleDeny), connectors.flatMap(typesOf)),
  ];
}

const ownOf = ({ every }: ConfiguredConnector): Partial<ConnectorAccess & ConnectorFederation> => every ?? {};

/** A claim that the operator named says which organisations a person has, whatever the kind. */
const typesOf = (connector: ConfiguredConnector): readonly RuleType[] => {
  const types = connector.kind.ruleTypes ?? USUAL;
  return ownOf(connector).orgClaim === undefined ? types : [...types, 'org'];
};

const listsOf = (list: RuleList | undefined): readonly RuleList[] => (list ? [list] : []);
const scopeListsOf = (rules: readonly ScopeRule[] | undefined): readonly RuleList[] =>
  rules?.map(({ people }) => people) ?? [];

/** The connectors without a list of their own, which use the general one. */
const users = (connectors: readonly ConfiguredConnector[], own: 'allow' | 'scopeRules' | 'admins') =>
  connectors.filter((connector) => ownOf(connector)[own] === undefined);

function judgeConnector(
  connector: ConfiguredConnector,
  { peopleAllow, environment }: AccessSettings,
): readonly Problem[] {
  const prefix = variablePrefix(connector.id);
  const { allow, deny, scopeRules, admins } = ownOf(connector);
  const types = typesOf(connector);
  const missing = environment === 'production' && !allow && !peopleAllow;
  const message = `is required in production, because it says who may come in: for example domain:example.com, or anyone for everybody who has an account at ${connector.title}`;
  return [
    ...unsupported(`${prefix}ALLOW`, listsOf(allow), types),
    ...unsupported(`${prefix}DENY`, listsOf(deny), types),
    ...unsupported(`${prefix}SCOPE_RULES`, scopeListsOf(scopeRules), types),
    ...unsupported(`${prefix}ADMINS`, listsOf(admins), types),
    ...everybody(`${prefix}ADMINS`, admins),
    ...(missing ? [{ env: `${prefix}ALLOW`, message }] : []),
  ];
}

const USUAL: readonly RuleType[] = ['domain', 'email', 'subject', 'group', 'role', 'claim'];

/** A rule that never matches looks like protection, or like a permission. */
function unsupported(env: string, lists: readonly RuleList[], types: readonly RuleType[]): readonly Problem[] {
  if (types.length === 0) return [];
  const odd = lists.flatMap(({ rules }) => rules).find(({ type }) => type !== 'anyone' && !types.includes(type));
  if (!odd) return [];
  return [{ env, message: `${odd.text} can't match here; supported: ${[...new Set(types)].join(', ')}` }];
}

/** An admin ends what other people approved. */
const everybody = (env: string, list: RuleList | undefined): readonly Problem[] =>
  list?.rules.some(({ type }) => type === 'anyone')
    ? [{ env, message: 'anyone would let everybody end the access of everybody: name addresses or groups' }]
    : [];

/** Of all rules only those about addresses mean the same person at every provider. */
const EVERYWHERE: ReadonlySet<string> = new Set(['anyone', 'domain', 'email']);

/** The number 583231 at one provider is somebody else at another, and everybody may make a group `ops` at some of them. */
function judgeGeneral(
  env: string,
  lists: readonly RuleList[],
  connectors: readonly ConfiguredConnector[],
): readonly Problem[] {
  const problems = unsupported(env, lists, connectors.flatMap(typesOf));
  const rules = lists.flatMap(({ rules }) => rules).filter(({ type }) => !EVERYWHERE.has(type));
  for (const { type, text } of rules) {
    const [first, second] = connectors.filter((connector) => (typesOf(connector) as readonly string[]).includes(type));
    if (!first || !second) continue;
    const own = `${variablePrefix(first.id)}${env === 'PEOPLE_ALLOW' ? 'ALLOW' : env}`;
    const message = `${text} may be somebody else at ${second.id} than at ${first.id}: write it into ${own}`;
    return [...problems, { env, message }];
  }
  return problems;
}
