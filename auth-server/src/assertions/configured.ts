/** Owns how the trusted issuers are read from the environment, each with variables of its own, and what they must not have in common. */
import { StartError } from '@mcp-oauth/shared/errors';
import {
  type Environment,
  type Problem,
  readSettings,
  type Settings,
  type Values,
} from '@mcp-oauth/shared/settings/config';
import { familyPrefix, flawOfId, unknownMembers } from '@mcp-oauth/shared/settings/family';
import type { EnterpriseIssuer } from './id-jag.ts';
import { enterpriseIssuerSettings, judgePlaces, workloadIssuerSettings } from './settings.ts';
import { readWorkloadRules } from './workload/rules.ts';
import type { WorkloadIssuer } from './workload/workload.ts';

interface WithKeys {
  readonly jwksUrl?: string | undefined;
}

export interface TrustedIssuers {
  readonly enterprise: readonly (EnterpriseIssuer & WithKeys)[];
  readonly workload: readonly (WorkloadIssuer & WithKeys)[];
}

interface Named {
  readonly issuer?: string | undefined;
  readonly enterpriseIssuers?: readonly string[] | undefined;
  readonly workloadIssuers?: readonly string[] | undefined;
}

interface Reading<T> {
  readonly read: readonly T[];
  readonly problems: readonly Problem[];
}

/**
 * @param values the settings that name the issuers, and the issuer identifier of this server
 * @param connectors ids of the connectors
 */
export function readTrustedIssuers(
  values: Named,
  env: Environment,
  connectors: readonly string[],
): { readonly issuers: TrustedIssuers; readonly problems: readonly Problem[] } {
  const enterprise = readFamily('ENTERPRISE_ISSUER', values.enterpriseIssuers ?? [], env, enterpriseIssuerSettings);
  const workload = readFamily('WORKLOAD_ISSUER', values.workloadIssuers ?? [], env, workloadIssuerSettings);
  const strangers = enterprise.read.filter(({ connector }) => !connectors.includes(connector));
  const ruled = workload.read.map((one) => withRules(one, values.issuer ?? ''));
  return {
    issuers: { enterprise: enterprise.read, workload: ruled.flatMap(({ read }) => read) },
    problems: [
      ...enterprise.problems,
      ...workload.problems,
      ...strangers.map(({ id, connector }) => ({
        env: `${familyPrefix('ENTERPRISE_ISSUER', id)}CONNECTOR`,
        message: `expected one of CONNECTORS (got ${JSON.stringify(connector)})`,
      })),
      ...ruled.flatMap(({ problems }) => problems),
      ...sharedIssuers([...enterprise.read, ...workload.read], workload.read),
    ],
  };
}

function readFamily<S extends Settings>(
  word: string,
  ids: readonly string[],
  env: Environment,
  settings: S,
): Reading<Values<S> & { readonly id: string }> {
  const read: (Values<S> & { readonly id: string })[] = [];
  const problems: Problem[] = [];
  for (const [index, id] of ids.entries()) {
    const flaw = flawOfId(word, id, ids.slice(0, index));
    if (flaw) {
      problems.push({ env: `${word}S`, message: flaw });
      continue;
    }
    const prefix = familyPrefix(word, id);
    const { values, problems: unreadable } = readSettings(settings, env, prefix);
    const others = ids.map((other) => familyPrefix(word, other)).filter((other) => other.startsWith(prefix));
    const unknown = unknownMembers({ declared: settings, env, prefix, others, owner: `an issuer of ${word}S` });
    const places = unreadable.length > 0 ? [] : judgePlaces(values as Parameters<typeof judgePlaces>[0]);
    const found = [...unreadable, ...unknown, ...places.map((one) => ({ ...one, env: prefix + one.env }))];
    problems.push(...found);
    if (found.length === 0) read.push({ ...(values as Values<S>), id });
  }
  return { read, problems };
}

function withRules(
  { rules: path, audience, ...values }: Values<typeof workloadIssuerSettings> & { readonly id: string },
  own: string,
): Reading<WorkloadIssuer & WithKeys> {
  try {
    return {
      read: [{ ...values, audience: audience ?? own, rules: readWorkloadRules(path, values.issuer) }],
      problems: [],
    };
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    const env = `${familyPrefix('WORKLOAD_ISSUER', values.id)}RULES`;
    return { read: [], problems: [{ env, message: error.message }] };
  }
}

/** Twice the same issuer would be two answers to one question: who may sign what. */
function sharedIssuers(
  all: readonly { readonly id: string; readonly issuer: string }[],
  workload: readonly { readonly id: string }[],
): readonly Problem[] {
  return all.flatMap((one, index) => {
    const first = all.slice(0, index).find(({ issuer, id }) => issuer === one.issuer || id === one.id);
    if (!first) return [];
    const word = workload.includes(one) ? 'WORKLOAD_ISSUER' : 'ENTERPRISE_ISSUER';
    const what = first.issuer === one.issuer ? 'issuer' : 'id';
    return [
      { env: `${familyPrefix(word, one.id)}ISSUER`, message: `has the ${what} of ${first.id} as well: keep one` },
    ];
  });
}
