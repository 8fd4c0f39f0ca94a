/** Owns the settings of the rules about people, in general and of one connector, and what production demands of them. */
import { optional, type Problem, type Values } from '@mcp-oauth/shared/settings/config';
import { z } from 'zod';
import type { RuleType } from '../federation/connector.ts';
import { type ConfiguredConnector, variablePrefix } from '../federation/registry.ts';
import { parseRuleList, type RuleList } from './rule-list.ts';
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
    doc: 'Who may have a scope beyond the base scope: scopes, or beginnings followed by *, each with rules as in PEOPLE_ALLOW, separated by semicolons; or a JSON object. Not set: everybody who may come in may have every scope. Once set, a scope that is not in it is for nobody.',
    type: scopeRules(),
    example: 'mcp:admin=group:ops',
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
};

export type ConnectorAccess = Values<typeof connectorAccessSettings>;

interface AccessSettings extends Partial<Values<typeof accessSettings>> {
  readonly environment?: string | undefined;
}

export function judgeAccess(
  { peopleAllow, environment }: AccessSettings,
  connectors: readonly ConfiguredConnector[],
): readonly Problem[] {
  return connectors.flatMap(({ id, kind, title, every }) => {
    const { allow, deny } = every as unknown as ConnectorAccess;
    const supported = kind.ruleTypes ?? USUAL;
    const problems = [...unsupported('ALLOW', allow, supported, id), ...unsupported('DENY', deny, supported, id)];
    if (environment === 'production' && !allow && !peopleAllow) {
      const message = `is required in production, because it says who may come in: for example domain:example.com, or anyone for everybody who has an account at ${title}`;
      problems.push({ env: `${variablePrefix(id)}ALLOW`, message });
    }
    return problems;
  });
}

const USUAL: readonly RuleType[] = ['domain', 'email', 'subject', 'group', 'role', 'claim'];

function unsupported(
  env: string,
  list: RuleList | undefined,
  supported: readonly RuleType[],
  id: string,
): readonly Problem[] {
  const odd = list?.rules.find(({ type }) => type !== 'anyone' && !supported.includes(type));
  if (!odd) return [];
  return [
    {
      env: variablePrefix(id) + env,
      message: `${odd.text} can't match here; this connector supports ${supported.join(', ')}`,
    },
  ];
}
